"""What every simulated WidowX task shares: physics, the arm's drives and joint states, cameras."""

from dataclasses import dataclass

import mujoco
import numpy as np

from theia_core.actions.guard_state import GuardCommand
from theia_core.actions.profile import RobotProfile, load_profile
from theia_core.actions.spaces import EE_DELTA
from theia_core.errors import TheiaError
from theia_sim.scenes.simulated_scene import TIMESTEP_S, SimulatedScene

HORN_M, ROD_M = 0.014, 0.024  # crank and rod between the gripper's motor and its fingers (xs_sdk's numbers)


@dataclass(frozen=True)
class JointState:
    """Names and values in xs_sdk's order: six joints and the gripper [rad], left and right finger [m]."""

    names: tuple[str, ...]
    position: np.ndarray
    velocity: np.ndarray
    effort: np.ndarray


class ArmEnv(SimulatedScene):
    """A scene with the WidowX at its base_link, driven as xs_sdk drives it.

    Not thread-safe: one thread calls everything. For pictures in another thread hand it a `snapshot()` and a
    renderer from `new_renderer()`.
    """

    action_space = EE_DELTA

    def __init__(self, mjcf: str, files: dict[str, bytes], robot: str = "wx250s") -> None:
        """Compile the scene.

        Args:
            mjcf: the whole scene; the arm's joints, actuators and site "tcp" as `scenes.widowx` names them.
            files: textures and other files that the scene names.
            robot: profile of the arm.
        """
        self.profile: RobotProfile = load_profile(robot)
        super().__init__(mujoco.MjModel.from_xml_string(mjcf, files))
        names = self.profile.joint_names
        self._arm_qpos = np.array([self.model.joint(name).qposadr[0] for name in names])
        self._arm_dof = np.array([self.model.joint(name).dofadr[0] for name in names])
        self._arm_ctrl = np.array([self.model.actuator(name).id for name in names])
        self._finger_qpos = [self.model.joint(f"{side}_finger").qposadr[0] for side in ("left", "right")]
        self._finger_dof = [self.model.joint(f"{side}_finger").dofadr[0] for side in ("left", "right")]
        self._finger_ctrl = [self.model.actuator(f"{side}_finger").id for side in ("left", "right")]
        self._tcp = self.model.site("tcp").id
        self._gains = self.model.actuator_gainprm.copy(), self.model.actuator_biasprm.copy()
        self._torque = dict.fromkeys((*names, "gripper"), True)
        self._limp_dof = np.array([], dtype=int)
        self._pwm = 0.0

    def _reset_arm(self, joints_rad: np.ndarray, finger_m: float) -> None:
        """Zero the state and put the arm at `joints_rad` (6,), gripper open to `finger_m` a finger."""
        mujoco.mj_resetData(self.model, self.data)
        self.set_torque("all", True)
        self.data.qpos[self._arm_qpos] = joints_rad
        self.data.qpos[self._finger_qpos] = (finger_m, -finger_m)
        self.data.ctrl[self._arm_ctrl] = joints_rad
        self.set_gripper_pwm(200.0)
        mujoco.mj_forward(self.model, self.data)

    def step(self, seconds: float) -> None:
        """Advance the physics by a multiple of 2 ms."""
        for _ in range(round(seconds / TIMESTEP_S)):
            self.data.qfrc_applied[self._limp_dof] = -self.data.qfrc_gravcomp[self._limp_dof]
            mujoco.mj_step(self.model, self.data)
            self._after_substep()

    def _after_substep(self) -> None:
        """Bookkeeping of a task after every 2 ms."""

    def set_joint_targets(self, joints_rad: np.ndarray) -> None:
        """Goal positions (6,) of the arm's servos [rad]; like the motors, clipped to the joint limits.

        Raises:
            TheiaError: if the goal is not six finite numbers.
        """
        goal = np.asarray(joints_rad, dtype=float)
        if goal.shape != (len(self._arm_ctrl),) or not np.all(np.isfinite(goal)):
            raise TheiaError(f"joint targets must be 6 finite angles [rad], not {joints_rad}")
        self.data.ctrl[self._arm_ctrl] = np.clip(
            goal, self.profile.joint_lower_rad, self.profile.joint_upper_rad
        )

    def set_gripper_pwm(self, pwm: float) -> None:
        """PWM of the gripper motor: + opens, - closes, at most 350 counts; it persists until told otherwise.

        Raises:
            TheiaError: if it is not a finite number.
        """
        if not np.isfinite(pwm):
            raise TheiaError(f"the gripper's PWM must be a finite number, not {pwm}")
        self._pwm = float(np.clip(pwm, -350.0, 350.0))
        self.data.ctrl[self._finger_ctrl] = self._pwm if self._torque["gripper"] else 0.0

    def set_torque(self, motors: str, on: bool) -> None:
        """Switch the motors of "arm", "gripper" or "all", or the one of a joint.

        Without torque the arm sinks under its weight: gravity compensation is part of the servo model and
        goes with it. Switched on again, the servos hold where they are and the gripper does not push.

        Raises:
            TheiaError: for another group or joint.
        """
        for name in self._motors_of(motors):
            was_on, self._torque[name] = self._torque[name], on
            if name == "gripper":
                self.set_gripper_pwm(self._pwm if on and was_on else 0.0)
                continue
            place = self.profile.joint_names.index(name)
            servo = self._arm_ctrl[place]
            for table, gains in zip(
                (self.model.actuator_gainprm, self.model.actuator_biasprm), self._gains, strict=True
            ):
                table[servo] = gains[servo] * on
            if on and not was_on:
                self.data.ctrl[servo] = self.data.qpos[self._arm_qpos[place]]
        limp = [place for place, name in enumerate(self.profile.joint_names) if not self._torque[name]]
        self.data.qfrc_applied[self._arm_dof] = 0.0
        self._limp_dof = self._arm_dof[limp]

    def torque_is_on(self, motors: str) -> bool:
        """Whether all motors of "arm", "gripper" or "all", or the one of a joint, have torque."""
        return all(self._torque[name] for name in self._motors_of(motors))

    def _motors_of(self, motors: str) -> tuple[str, ...]:
        if motors in self._torque:
            return (motors,)
        if motors not in ("arm", "all"):
            raise TheiaError(f"no motor group {motors!r}; known: arm, gripper, all and the joints")
        return self.profile.joint_names if motors == "arm" else tuple(self._torque)

    def joint_state(self) -> JointState:
        """Joint state as xs_sdk publishes it; efforts are what the motors give [Nm, fingers N]."""
        finger_m = self.data.qpos[self._finger_qpos]
        finger_m_s = self.data.qvel[self._finger_dof]
        effort = self.data.qfrc_actuator + self.data.qfrc_gravcomp
        effort[self._limp_dof] = 0.0
        pushes = effort[self._finger_dof]
        rad_per_m = gripper_rad_per_m(finger_m[0])
        return JointState(
            (*self.profile.joint_names, "gripper", "left_finger", "right_finger"),
            np.concatenate([self.data.qpos[self._arm_qpos], [gripper_rad(finger_m[0])], finger_m]),
            np.concatenate([self.data.qvel[self._arm_dof], [rad_per_m * finger_m_s[0]], finger_m_s]),
            np.concatenate([effort[self._arm_dof], [(pushes[0] - pushes[1]) / rad_per_m], pushes]),
        )

    def observed_state(self) -> np.ndarray:
        """What a policy and the guard are told: six joints [rad] and the left finger [m], (7,)."""
        return self.data.qpos[[*self._arm_qpos, self._finger_qpos[0]]].copy()

    def recorded_joints(self, observed: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        """Names and positions as the robot publishes them, with what was observed (7,) a moment ago."""
        state = self.joint_state()
        positions = state.position.copy()
        for name, value in zip((*self.profile.joint_names, self.profile.finger_joint), observed, strict=True):
            positions[state.names.index(name)] = float(value)
        return state.names, positions

    def follow(self, command: GuardCommand) -> None:
        """Do what the guard says."""
        self.set_joint_targets(command.joints_rad)
        self.set_gripper_pwm(command.gripper_pwm)

    def tcp(self) -> tuple[np.ndarray, np.ndarray]:
        """Measured pose of the tool centre point in base_link: position (3,) [m], rotation (3, 3)."""
        return self.data.site_xpos[self._tcp].copy(), self.data.site_xmat[self._tcp].reshape(3, 3).copy()

    def finger_m(self) -> float:
        """Position of the left finger [m]."""
        return float(self.data.qpos[self._finger_qpos[0]])


def aim_camera(model: mujoco.MjModel, name: str, position_m: np.ndarray, target_m: np.ndarray) -> None:
    """Put a fixed camera at `position_m` (3,), looking at `target_m` (3,), upright."""
    backward = (position_m - target_m) / np.linalg.norm(position_m - target_m)
    right = np.cross([0.0, 0.0, 1.0], backward)
    right /= np.linalg.norm(right)
    frame = np.stack([right, np.cross(backward, right), backward], axis=1)
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, frame.ravel())
    camera = model.camera(name)
    camera.pos[:], camera.quat[:] = position_m, quaternion


def gripper_rad(finger_m: float) -> float:
    """Angle of the gripper's motor [rad] for a finger position, by xs_sdk's crank and rod."""
    cosine = (HORN_M**2 + finger_m**2 - ROD_M**2) / (2 * HORN_M * finger_m)
    return float(np.pi / 2 - np.arccos(np.clip(cosine, -1.0, 1.0)))


def gripper_rad_per_m(finger_m: float) -> float:
    """How fast the gripper's motor turns with its finger [rad/m] at a finger position."""
    turn = gripper_rad(finger_m)
    rod_along_m = finger_m - HORN_M * np.sin(turn)
    return float(rod_along_m / (finger_m * HORN_M * np.cos(turn)))
