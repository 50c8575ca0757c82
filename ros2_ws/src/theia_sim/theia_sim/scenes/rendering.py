"""Pictures of a scene from a snapshot of its state, in whichever thread asks for them."""

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from theia_core.errors import TheiaError
from theia_sim.scenes.gl import new_context

MAX_WIDTH, MAX_HEIGHT = 1280, 960


@dataclass(frozen=True)
class Snapshot:
    """All that a picture depends on: time [s] since reset, joint positions and the scene's parameters."""

    time_s: float
    qpos: np.ndarray
    params: Any


class SnapshotRenderer:
    """Renders snapshots of one scene on its own copy of the model.

    A camera node takes `env.snapshot()` in the physics thread (microseconds) and calls `render` in another
    thread; MuJoCo leaves Python's lock while it draws, so physics goes on. The OpenGL context belongs to the
    thread of the first `render`; use and `close` it there only.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        place: Callable[[mujoco.MjModel, Any], None],
        *,
        samples: int | None = None,
        shadows: bool = False,
    ) -> None:
        """Prepare; OpenGL starts with the first picture.

        Args:
            model: model of the scene, copied.
            place: writes a scene's parameters (positions, colours, lights, camera) into a model.
            samples: anti-aliasing samples per pixel, by default the model's own.
            shadows: whether the key light casts a shadow (about 50 ms a picture on a CPU).
        """
        self._model = copy.copy(model)
        self._data = mujoco.MjData(self._model)
        self._place, self._params = place, None
        self._shadows = shadows
        if samples is not None:
            self._model.vis.quality.offsamples = samples
        if shadows:
            self._model.vis.quality.shadowsize = 2048
        self._thread: int | None = None

    def render(self, snapshot: Snapshot, camera: str, width: int, height: int) -> np.ndarray:
        """Picture (height, width, 3) uint8 RGB of a snapshot.

        Raises:
            TheiaError: for an unknown camera, a size beyond 1280x960, a call from another thread than the
                first, or a machine without OpenGL.
        """
        if not (0 < width <= MAX_WIDTH and 0 < height <= MAX_HEIGHT):
            raise TheiaError(
                f"cannot render {width}x{height}; the largest picture is {MAX_WIDTH}x{MAX_HEIGHT}"
            )
        camera_id = mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_CAMERA, camera)
        if camera_id < 0:
            known = ", ".join(self._model.camera(i).name for i in range(self._model.ncam))
            raise TheiaError(f"the scene has no camera {camera!r}; known: {known}")
        self._start()
        if snapshot.params is not self._params:
            self._place(self._model, snapshot.params)
            if self._shadows:
                self._model.light_castshadow[0] = 1
            self._params = snapshot.params
        self._data.qpos[:] = snapshot.qpos
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        self._camera.fixedcamid = camera_id
        mujoco.mjv_updateScene(
            self._model,
            self._data,
            self._options,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL,
            self._scene,
        )
        viewport = mujoco.MjrRect(0, 0, width, height)
        picture = np.empty((height, width, 3), np.uint8)
        mujoco.mjr_render(viewport, self._scene, self._gpu)
        mujoco.mjr_readPixels(picture, None, viewport, self._gpu)
        return np.ascontiguousarray(picture[::-1])

    def close(self) -> None:
        """Free the OpenGL context, in the thread that rendered."""
        if self._thread is not None:
            self._gpu.free()
            self._context.free()
            self._thread = None

    def _start(self) -> None:
        """Make this thread's OpenGL context on the first call and make it current on every other."""
        if self._thread is None:
            self._context = new_context(MAX_WIDTH, MAX_HEIGHT)
            self._thread = threading.get_ident()
            self._model.vis.global_.offwidth, self._model.vis.global_.offheight = MAX_WIDTH, MAX_HEIGHT
            self._gpu = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100)
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._gpu)
            self._scene = mujoco.MjvScene(self._model, maxgeom=2000)
            self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = self._shadows
            self._options = mujoco.MjvOption()
            self._camera = mujoco.MjvCamera()
            self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        elif self._thread != threading.get_ident():
            raise TheiaError(
                "this renderer belongs to another thread: OpenGL contexts cannot move, make one each"
            )
        else:
            self._context.make_current()
