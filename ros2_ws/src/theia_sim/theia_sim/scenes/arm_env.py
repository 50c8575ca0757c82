"""What every simulated WidowX task shares: physics, the arm's drives and joint states, cameras."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from theia_core.actions.profile import RobotProfile, load_profile
from theia_sim.scenes.gl import choose_gl

choose_gl()
import mujoco  # noqa: E402  (reads MUJOCO_GL when it is imported)

TIMESTEP_S = 0.002
GRIPPER_RAD_PER_M = 40.0  # the gripper motor's angle for a metre of finger travel, roughly the crank's ratio


@dataclass(frozen=True)
class JointState:
    """Names and values in xs_sdk's order: six joints and the gripper [rad], left and right finger [m]."""

    names: tuple[str, ...]
    position: np.ndarray
    velocity: np.ndarray
    effort: np.ndarray


class SceneCamera:
    """Renders a model; make and use it in one thread, whose OpenGL context it holds."""

    def __init__(self, model: mujoco.MjModel, width: int = 640, height: int = 480) -> None:
        """Make a renderer of `width` x `height` pixels with its own copy of the state."""
        self._model, self._data = model, mujoco.MjData(model)
        self._renderer = mujoco.Renderer(model, height, width)
        self._options = mujoco.MjvOption()
        self._options.geomgroup[:] = (1, 1, 1, 0, 0, 0)

    def render(self, qpos: np.ndarray, camera: str = "policy") -> np.ndarray:
        """Picture (height, width, 3) uint8 RGB of the configuration `qpos` (see `ArmEnv.snapshot`)."""
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        self._renderer.update_scene(self._data, camera=camera, scene_option=self._options)
        return self._renderer.render()

    def close(self) -> None:
        """Free the OpenGL context."""
        self._renderer.close()


class ArmEnv:
    """A scene with the WidowX at its base_link, driven as xs_sdk drives it.

    Not thread-safe. To render beside the physics, take `snapshot()` in the physics thread and hand it to a `SceneCamera` that
    lives in the other thread.
    """

    def __init__(self, mjcf: str, files: dict[str, bytes], robot: str = "wx250s") -> None:
        """Compile the scene.

        Args:
            mjcf: the whole scene; joints, actuators and the site "tcp" of the arm as `theia_sim.widowx` names them.
            files: textures and other files that the scene names.
            robot: profile of the arm.
        """
        self.profile: RobotProfile = load_profile(robot)
        self.model = mujoco.MjModel.from_xml_string(mjcf, files)
        self.data = mujoco.MjData(self.model)
        names = self.profile.joint_names
        self._arm_qpos = np.array([self.model.joint(name).qposadr[0] for name in names])
        self._arm_dof = np.array([self.model.joint(name).dofadr[0] for name in names])
        self._arm_ctrl = np.array([self.model.actuator(name).id for name in names])
        self._finger_qpos = [self.model.joint(f"{side}_finger").qposadr[0] for side in ("left", "right")]
        self._finger_dof = [self.model.joint(f"{side}_finger").dofadr[0] for side in ("left", "right")]
        self._finger_ctrl = [self.model.actuator(f"{side}_finger").id for side in ("left", "right")]
        self._tcp = self.model.site("tcp").id
        self._gains = self.model.actuator_gainprm.copy(), self.model.actuator_biasprm.copy()
        self._gravcomp = self.model.body_gravcomp.copy()
        self._camera: SceneCamera | None = None

    def _reset_arm(self, joints_rad: np.ndarray, finger_m: float) -> None:
        """Zero the state and put the arm at `joints_rad` (6,), gripper open to `finger_m` a finger."""
        mujoco.mj_resetData(self.model, self.data)
        self.set_torque(True)
        self.data.qpos[self._arm_qpos] = joints_rad
        self.data.qpos[self._finger_qpos] = (finger_m, -finger_m)
        self.data.ctrl[self._arm_ctrl] = joints_rad
        self.data.ctrl[self._finger_ctrl] = 200.0
        mujoco.mj_forward(self.model, self.data)

    @property
    def time_s(self) -> float:
        """Simulated time since the reset."""
        return float(self.data.time)

    def step(self, seconds: float) -> None:
        """Advance the physics by a multiple of 2 ms."""
        for _ in range(round(seconds / TIMESTEP_S)):
            mujoco.mj_step(self.model, self.data)
            self._after_substep()

    def _after_substep(self) -> None:
        """Bookkeeping of a task after every 2 ms."""

    def set_joint_targets(self, joints_rad: np.ndarray) -> None:
        """Goal positions (6,) of the arm's servos [rad]."""
        self.data.ctrl[self._arm_ctrl] = joints_rad

    def set_gripper_pwm(self, pwm: float) -> None:
        """PWM of the gripper motor, + opens and - closes, limited to 350; it persists."""
        self.data.ctrl[self._finger_ctrl] = np.clip(pwm, -350.0, 350.0)

    def set_torque(self, enabled: bool, joints: tuple[str, ...] | None = None) -> None:
        """Switch the torque of the named joints (None: all of the arm and the gripper).

        An arm without torque sinks under its weight. The gravity compensation is a property of the servo model and goes with it.
        """
        names = joints or (*self.profile.joint_names, "gripper")
        for name in names:
            for actuator in ("left_finger", "right_finger") if name == "gripper" else (name,):
                index = self.model.actuator(actuator).id
                self.model.actuator_gainprm[index] = self._gains[0][index] * enabled
                self.model.actuator_biasprm[index] = self._gains[1][index] * enabled
            if name != "gripper":
                body = self.model.body(f"{name}_link").id
                self.model.body_gravcomp[body] = self._gravcomp[body] * enabled

    def joint_state(self) -> JointState:
        """Joint state as xs_sdk publishes it."""
        finger_m = self.data.qpos[self._finger_qpos]
        finger_m_s = self.data.qvel[self._finger_dof]
        effort = self.data.qfrc_actuator
        turn, turn_rate = GRIPPER_RAD_PER_M * (finger_m[0] - 0.026), GRIPPER_RAD_PER_M * finger_m_s[0]
        return JointState(
            (*self.profile.joint_names, "gripper", "left_finger", "right_finger"),
            np.concatenate([self.data.qpos[self._arm_qpos], [turn], finger_m]),
            np.concatenate([self.data.qvel[self._arm_dof], [turn_rate], finger_m_s]),
            np.concatenate([effort[self._arm_dof], [effort[self._finger_dof[0]]], effort[self._finger_dof]]),
        )

    def tcp(self) -> tuple[np.ndarray, np.ndarray]:
        """Measured pose of the tool centre point in base_link: position (3,) [m], rotation (3, 3)."""
        return self.data.site_xpos[self._tcp].copy(), self.data.site_xmat[self._tcp].reshape(3, 3).copy()

    def snapshot(self) -> np.ndarray:
        """Configuration to render in another thread, with a `SceneCamera` of this environment's `model`."""
        return self.data.qpos.copy()

    def render(self, camera: str = "policy") -> np.ndarray:
        """Picture (480, 640, 3) uint8 RGB from "policy" or "spectator"; call it from one thread only."""
        if self._camera is None:
            self._camera = SceneCamera(self.model)
        return self._camera.render(self.data.qpos, camera)

    def close(self) -> None:
        """Free the renderer."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _aim_camera(self, name: str, position_m: np.ndarray, target_m: np.ndarray) -> None:
        """Put a fixed camera at `position_m`, looking at `target_m`, upright."""
        index = self.model.camera(name).id
        backward = (position_m - target_m) / np.linalg.norm(position_m - target_m)
        right = np.cross([0.0, 0.0, 1.0], backward)
        right /= np.linalg.norm(right)
        frame = np.stack([right, np.cross(backward, right), backward], axis=1)
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, frame.ravel())
        self.model.cam_pos[index], self.model.cam_quat[index] = position_m, quaternion

    def failure(self) -> str | None:
        """Why the simulation can no longer be trusted, None while it can."""
        if not np.all(np.isfinite(self.data.qpos)) or np.max(np.abs(self.data.qvel)) > 60.0:
            return "the simulation became unstable"
        return None

    def info(self) -> dict[str, Any]:
        """Task state for people and logs."""
        return {}
