"""Pictures of states that need not be reached by physics: a scene, a posture, a point of view.

Encoders learn from these. Each task brings its own draws (`make_views`); drawing the picture is the same
for all.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import mujoco
import numpy as np

from theia_core.errors import TheiaError
from theia_sim.scenes.arm_env import aim_camera
from theia_sim.scenes.rendering import Snapshot, SnapshotRenderer
from theia_sim.scenes.simulated_scene import SimulatedScene

WIDTH, HEIGHT = 640, 480


@dataclass(frozen=True)
class View:
    """A scene as one camera sees it.

    Attributes:
        params: the scene's parameters.
        qpos: joint positions of the whole scene.
        camera_m: where a camera other than the policy's stands (3,), None for the policy's own.
        target_m: what that camera looks at (3,).
        fovy_deg: its vertical field of view.
    """

    params: Any
    qpos: np.ndarray
    camera_m: np.ndarray | None = None
    target_m: np.ndarray | None = None
    fovy_deg: float = 45.0


class SceneViews(Protocol):
    """Draws views of one task's scenes."""

    env: SimulatedScene

    def draw(self, seed: int, count: int) -> list[View]:
        """`count` views of the scene of a training seed; the same for the same numbers."""


def make_views(task: str) -> SceneViews:
    """The views of a task.

    Raises:
        TheiaError: if there is no scene of that task.
    """
    if task == "door":
        from theia_sim.scenes.door_views import DoorViews

        return DoorViews()
    if task in SCENES:
        from theia_sim.scenes.expert_views import ExpertViews

        return ExpertViews(task)
    raise TheiaError(f"there are no views of a scene {task!r}; known: {', '.join(SCENES)}")


SCENES = ("door", "pick_place", "microwave", "drawer")


class ViewRenderer:
    """Draws views of one environment's scenes, in the thread of the first `render`."""

    def __init__(self, env: SimulatedScene) -> None:
        """Prepare; OpenGL starts with the first picture."""
        self._env = env
        self._renderer = SnapshotRenderer(env.model, self._place, samples=0)

    def render(self, view: View) -> np.ndarray:
        """Picture (480, 640, 3) uint8 RGB."""
        camera = "policy" if view.camera_m is None else "spectator"
        # A copy, because the renderer places a scene anew only when its parameters are another object.
        return self._renderer.render(Snapshot(0.0, view.qpos, replace(view)), camera, WIDTH, HEIGHT)

    def close(self) -> None:
        """Free the OpenGL context."""
        self._renderer.close()

    def _place(self, model: mujoco.MjModel, view: View) -> None:
        self._env.place(model, view.params)
        if view.camera_m is not None and view.target_m is not None:
            aim_camera(model, "spectator", view.camera_m, view.target_m)
            model.camera("spectator").fovy[:] = view.fovy_deg


def penetration_m(env: SimulatedScene, qpos: np.ndarray) -> float:
    """How deep bodies are inside each other in a posture [m], by MuJoCo's contacts; 0 if none touch."""
    env.data.qpos[:] = qpos
    env.data.qvel[:] = 0
    mujoco.mj_forward(env.model, env.data)
    return max((-float(contact.dist) for contact in env.data.contact[: env.data.ncon]), default=0.0)
