"""What every simulated scene shares, whatever robot is in it: time, pictures, whether it can be trusted."""

from typing import Any

import mujoco
import numpy as np

from theia_core.errors import TheiaError
from theia_sim.scenes.rendering import Snapshot, SnapshotRenderer

TIMESTEP_S = 0.002
_SPECTATOR_SAMPLES = 4  # anti-aliasing of pictures for people
_BROKEN = (
    mujoco.mjtWarning.mjWARN_BADQPOS,
    mujoco.mjtWarning.mjWARN_BADQVEL,
    mujoco.mjtWarning.mjWARN_BADQACC,
)


class SimulatedScene:
    """A compiled scene with cameras "policy" and "spectator".

    Not thread-safe: one thread calls everything. For pictures in another thread hand it a `snapshot()` and a
    renderer from `new_renderer()`.

    Attributes:
        model, data: MuJoCo's.
        params: parameters of the present scene, None before the first reset.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        """Take a compiled model."""
        self.model, self.data = model, mujoco.MjData(model)
        self.params: Any = None
        self._renderers: dict[str, SnapshotRenderer] = {}

    def place(self, model: mujoco.MjModel, params: Any) -> None:
        """Write a scene's parameters (places, colours, lights, cameras) into `model`, this one or a copy."""
        raise NotImplementedError

    @property
    def time_s(self) -> float:
        """Simulated time since the reset."""
        return float(self.data.time)

    def snapshot(self) -> Snapshot:
        """All that a picture of the present moment depends on.

        Raises:
            TheiaError: before the first `reset`.
        """
        if self.params is None:
            raise TheiaError("the environment has no scene yet; call reset(params) first")
        return Snapshot(self.time_s, self.data.qpos.copy(), self.params)

    def new_renderer(self, *, samples: int = 0) -> SnapshotRenderer:
        """A renderer of this scene for one thread; cameras "policy" and "spectator".

        Args:
            samples: anti-aliasing samples a pixel. The policy's camera has none: four would triple the time a
                picture takes on a CPU, and the encoder sees it at 224x224 anyway.
        """
        return SnapshotRenderer(self.model, self.place, samples=samples)

    @property
    def spectator_model(self) -> mujoco.MjModel:
        """The scene for pictures for people."""
        return self.model

    def render(self, width: int = 640, height: int = 480, camera: str = "policy") -> np.ndarray:
        """Picture (height, width, 3) uint8 RGB of the present moment."""
        if camera not in self._renderers:
            self._renderers[camera] = (
                self.new_renderer()
                if camera == "policy"
                else SnapshotRenderer(self.spectator_model, self.place, samples=_SPECTATOR_SAMPLES)
            )
        return self._renderers[camera].render(self.snapshot(), camera, width, height)

    def close(self) -> None:
        """Free the renderers of `render`."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    def failure(self) -> str | None:
        """Why the simulation can no longer be trusted since `reset`, None while it can."""
        if any(self.data.warning[kind].number for kind in _BROKEN) or np.max(np.abs(self.data.qvel)) > 60.0:
            return "the simulation became unstable"
        return None

    def info(self) -> dict[str, Any]:
        """Task state for people and logs."""
        return {}
