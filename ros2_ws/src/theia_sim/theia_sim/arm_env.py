"""Base of the WidowX scenes: physics, servos, gripper and pictures, with what xs_sdk offers and nothing else."""

from dataclasses import dataclass
from typing import Any, ClassVar

import mujoco
import numpy as np

from theia_core.errors import TheiaError
from theia_sim.rendering import Snapshot, SnapshotRenderer
from theia_sim.widowx import (
    ARM_JOINTS,
    FINGER_RANGE_M,
    HALF_GAP_OFFSET_M,
    JOINT_LIMITS_RAD,
    JOINT_NAMES,
    finger_force_n,
    gripper_angle_rad,
)

TIMESTEP_S = 0.002
_CHECK_STEPS = 5


@dataclass(frozen=True)
class JointState:
    """What xs_sdk publishes: six arm joints, gripper motor [rad], left and right finger [m]; arrays are (9,)."""

    names: tuple[str, ...]
    position: np.ndarray
    velocity: np.ndarray
    effort: np.ndarray


class ArmEnv:
    """One WidowX 250s in a scene. A subclass builds the scene, places it and judges what happened.

    Not thread-safe: one thread calls everything; for pictures in another thread see `new_renderer`.

    Attributes:
        params_type: dataclass of a scene's parameters, with `sample(seed, ...)`.
        model: compiled MuJoCo model.
        data: its state.
        params: parameters of the present episode, None before the first `reset`.
    """

    params_type: ClassVar[type]

    def __init__(self, spec: mujoco.MjSpec) -> None:
        """Compile `spec`, which holds the arm of `add_widowx`."""
        spec.option.timestep = TIMESTEP_S
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        spec.option.impratio = 10
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self.params: Any = None
        arm = [self.model.joint(name) for name in (*ARM_JOINTS, "left_finger", "right_finger")]
        self._qpos = np.array([joint.qposadr[0] for joint in arm])
        self._dofs = np.array([joint.dofadr[0] for joint in arm])
        self._servos = np.array([self.model.actuator(name).id for name in ARM_JOINTS])
        self._motors = np.array([self.model.actuator(f"{side}_finger").id for side in ("left", "right")])
        self._tool = self.model.site("tool").id
        self._base = self.model.body("base_link").id
        self._arm_bodies = [self.model.body(f"{joint}_link").id for joint in ARM_JOINTS]
        self._gains = self.model.actuator_gainprm.copy(), self.model.actuator_biasprm.copy()
        self._renderer: SnapshotRenderer | None = None
        self._failure: str | None = None
        self._torque = {"arm": True, "gripper": True}
        self._pwm = 0.0
        self._pending_s = 0.0

    # --- what a subclass says ---

    def place(self, model: mujoco.MjModel, params: Any) -> None:
        """Write an episode's parameters into `model`: positions, colours, lights, camera."""
        raise NotImplementedError

    def judge(self, elapsed_s: float) -> None:
        """Look at the contacts after each `elapsed_s` of physics and latch the stages."""
        raise NotImplementedError

    def stages(self) -> dict[str, bool]:
        """Stages of the task, from first to last, and whether each was reached since `reset`."""
        raise NotImplementedError

    # --- episode ---

    def start(self, params: Any, joints_rad: np.ndarray, finger_m: float) -> None:
        """Forget everything, place the scene and rest the arm at `joints_rad` (6,), torque on, fingers opening."""
        self.params, self._failure, self._pending_s = params, None, 0.0
        mujoco.mj_resetData(self.model, self.data)
        self.place(self.model, params)
        self.data.qpos[self._qpos] = [*joints_rad, finger_m, -finger_m]
        self.set_torque("arm", True)
        self.set_torque("gripper", True)
        self.set_joint_targets(np.asarray(joints_rad))
        self.set_gripper_pwm(0.0)
        mujoco.mj_forward(self.model, self.data)

    @property
    def time_s(self) -> float:
        """Simulated time since `reset`."""
        return float(self.data.time)

    def step(self, seconds: float) -> None:
        """Advance physics; what does not fill a 2 ms step is kept for the next call."""
        self._require_reset()
        self._pending_s += seconds
        steps = int(np.floor(self._pending_s / TIMESTEP_S + 1e-6))
        self._pending_s -= steps * TIMESTEP_S
        while steps > 0 and self._failure is None:
            batch = min(steps, _CHECK_STEPS)
            mujoco.mj_step(self.model, self.data, nstep=batch)
            steps -= batch
            if self.data.warning[mujoco.mjtWarning.mjWARN_BADQACC].number:
                self._failure = f"the simulation became unstable at {self.time_s:.2f} s"
            self.judge(batch * TIMESTEP_S)

    def failure(self) -> str | None:
        """Why the episode cannot go on, None while it can."""
        return self._failure

    # --- what xs_sdk offers ---

    def set_joint_targets(self, joints_rad: np.ndarray) -> None:
        """Goal positions (6,) [rad] of the arm's servos; clipped to the joint limits as the motors do.

        Raises:
            TheiaError: if the goal is not six finite numbers.
        """
        goal = np.asarray(joints_rad, dtype=float)
        if goal.shape != (6,) or not np.all(np.isfinite(goal)):
            raise TheiaError(f"joint targets must be 6 finite angles [rad], not {joints_rad}")
        self.data.ctrl[self._servos] = np.clip(goal, *JOINT_LIMITS_RAD.T)

    def set_gripper_pwm(self, pwm: float) -> None:
        """Drive the gripper: + opens, - closes, 150 to 350 is useful. It keeps pushing until told otherwise."""
        if not np.isfinite(pwm):
            raise TheiaError(f"gripper PWM must be a finite number, not {pwm}")
        self._pwm = float(pwm)
        self.data.ctrl[self._motors] = finger_force_n(pwm) if self._torque["gripper"] else 0.0

    def set_torque(self, group: str, on: bool) -> None:
        """Switch the motors of "arm", "gripper" or "all" on or off.

        Without torque the arm sinks under its weight. Switched on again, servos hold where they are and the
        gripper's PWM is zero, as after xs_sdk's torque_enable.
        """
        groups = ("arm", "gripper") if group == "all" else (group,)
        if not set(groups) <= set(self._torque):
            raise TheiaError(f"no motor group {group!r}; known: arm, gripper, all")
        for name in groups:
            was_on, self._torque[name] = self._torque[name], on
            if name == "gripper":
                self.set_gripper_pwm(self._pwm if on and was_on else 0.0)
                continue
            gain, bias = self._gains
            self.model.actuator_gainprm[self._servos] = gain[self._servos] * on
            self.model.actuator_biasprm[self._servos] = bias[self._servos] * on
            self.model.body_gravcomp[self._arm_bodies] = float(on)
            if on and not was_on:
                self.set_joint_targets(self.data.qpos[self._qpos[:6]])

    def torque_is_on(self, group: str) -> bool:
        """Whether the motors of "arm" or "gripper" have torque."""
        return self._torque[group]

    def joint_state(self) -> JointState:
        """Measured joints (9,): positions [rad, m], velocities, and efforts [Nm, N] of the motors."""
        q, v = self.data.qpos[self._qpos], self.data.qvel[self._dofs]
        torque = (self.data.qfrc_actuator + self.data.qfrc_gravcomp)[self._dofs]
        finger_m = float(np.clip(q[6], *FINGER_RANGE_M))
        angle = gripper_angle_rad(finger_m)
        nudge_m = 1e-5
        slope = (gripper_angle_rad(finger_m + nudge_m) - angle) / nudge_m
        return JointState(
            JOINT_NAMES,
            np.array([*q[:6], angle, q[6], q[7]]),
            np.array([*v[:6], slope * v[6], v[6], v[7]]),
            np.array([*torque[:6], torque[6] / slope, torque[6], torque[7]]),
        )

    # --- privileged state, for experts and scores ---

    @property
    def finger_m(self) -> float:
        """Position of the left finger joint [m]: 0.015 closed, 0.037 open."""
        return float(self.data.qpos[self._qpos[6]])

    @property
    def half_gap_m(self) -> float:
        """Distance of each pad from the middle of the gripper [m]."""
        return self.finger_m - HALF_GAP_OFFSET_M

    def tool_pose(self) -> tuple[np.ndarray, np.ndarray]:
        """Pose of the tool centre point in base_link: position (3,) [m], rotation (3, 3)."""
        base = self.data.xmat[self._base].reshape(3, 3)
        rotation = self.data.site_xmat[self._tool].reshape(3, 3)
        return base.T @ (self.data.site_xpos[self._tool] - self.data.xpos[self._base]), base.T @ rotation

    def in_base(self, point_m: np.ndarray) -> np.ndarray:
        """A world point (3,) [m] in base_link."""
        return self.data.xmat[self._base].reshape(3, 3).T @ (point_m - self.data.xpos[self._base])

    # --- pictures ---

    def snapshot(self) -> Snapshot:
        """State for a renderer in another thread; costs microseconds."""
        self._require_reset()
        return Snapshot(self.time_s, self.data.qpos.copy(), self.params)

    def new_renderer(self, *, samples: int | None = None, shadows: bool = False) -> SnapshotRenderer:
        """A renderer of this scene's snapshots that any one other thread may use."""
        return SnapshotRenderer(self.model, self.place, samples=samples, shadows=shadows)

    def render(self, width: int = 640, height: int = 480, camera: str = "policy") -> np.ndarray:
        """Picture (height, width, 3) uint8 RGB of the present state, drawn in this thread."""
        if self._renderer is None:
            self._renderer = self.new_renderer()
        return self._renderer.render(self.snapshot(), camera, width, height)

    def close(self) -> None:
        """Free the OpenGL context that `render` made."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _require_reset(self) -> None:
        if self.params is None:
            raise TheiaError("the environment has no scene yet; call reset(params) first")
