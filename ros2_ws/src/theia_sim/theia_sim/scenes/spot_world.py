"""Spot with its arm in a scene, as an object: physics at 2 ms, commands, state, frames, pictures.

Fast roll-outs and the simulated Spot behind gRPC drive this one object. It knows nothing of leases, time
limits or trajectories: whoever drives it says, every 20 ms or less often, where hand, gripper and base should
be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from theia_core.actions.hand_filter import HandGoal
from theia_core.actions.hand_state import STATE_NAMES, observed_state
from theia_core.actions.poses import Pose
from theia_core.actions.spaces import EE_POSE
from theia_core.errors import TheiaError
from theia_sim.scenes.simulated_scene import TIMESTEP_S, SimulatedScene
from theia_sim.scenes.spot import (
    ARM_JOINTS,
    ARM_LIMITS_RAD,
    BASE_JOINTS,
    GRIPPER_JOINT,
    GRIPPER_OPEN_RAD,
)
from theia_sim.scenes.spot_base import BaseDrive
from theia_sim.scenes.spot_ik import SpotIK
from theia_sim.scenes.spot_meshes import mesh_folder

CONTROL_S = 0.02
FASTEST_JOINT_RAD_S = 2.5  # of the commanded arm joints
FASTEST_FINGER_RAD_S = 3.0
# The robot's two roots; their origins differ from the scene's and from each other, so that a program which
# takes one for the other goes wrong here too.
WORLD_TFORM = {
    "world": Pose(),
    "odom": Pose.on_plane(-1.2, 0.4, 0.35),
    "vision": Pose.on_plane(0.3, -0.8, -0.5),
}
FRAMES = ("body", *WORLD_TFORM)
_HOLDING_NM, _HOLDING_FRACTION = 2.0, 0.03


@dataclass(frozen=True)
class SpotJoints:
    """Names and values of the arm's joints and the gripper's, (7,) each [rad, rad/s, Nm]."""

    names: tuple[str, ...]
    position: np.ndarray
    velocity: np.ndarray
    effort: np.ndarray


class SpotWorld(SimulatedScene):
    """A scene with Spot in it; a task's environment derives from this and brings `place` and `reset`.

    Frames: "body" is the robot's body (x forward, y left, z up, origin between the hips), which moves with
    the base; "odom" and "vision" are fixed in the scene, "world" is the scene's own. Poses are `Pose`
    objects. The hand's pose is that of the robot's frame "hand".

    Not thread-safe: one thread calls everything. For pictures in another thread hand it a `snapshot()` and a
    renderer from `new_renderer()`; `new_renderer` itself may be called in any thread.

    Attributes:
        model, data: MuJoCo's.
        root: pose in "world" of the frame "start_body" that actions and observed states use: where the body
            stood at the reset. It does not move with the base.
        params: parameters of the present scene, None before the first reset.
    """

    action_space = EE_POSE

    def __init__(self, mjcf: Callable[[Path | None], str], files: dict[str, bytes]) -> None:
        """Compile the scene.

        Args:
            mjcf: the whole scene, with Spot as `scenes.spot` makes it for a folder of meshes or None.
            files: textures and other files that the scene names.
        """
        super().__init__(mujoco.MjModel.from_xml_string(mjcf(None), files))
        self._mjcf, self._files = mjcf, files
        names = (*ARM_JOINTS, GRIPPER_JOINT)
        self._qpos = np.array([self.model.joint(name).qposadr[0] for name in names])
        self._dof = np.array([self.model.joint(name).dofadr[0] for name in names])
        self._ctrl = np.array([self.model.actuator(name).id for name in names])
        self._base_qpos = np.array([self.model.joint(name).qposadr[0] for name in BASE_JOINTS])
        self._base_dof = np.array([self.model.joint(name).dofadr[0] for name in BASE_JOINTS])
        self._base_ctrl = np.array([self.model.actuator(name).id for name in BASE_JOINTS])
        self._body, self._hand = self.model.body("body").id, self.model.site("hand").id
        self._low, self._high = np.array(ARM_LIMITS_RAD).T
        self._gains = self.model.actuator_gainprm.copy(), self.model.actuator_biasprm.copy()
        self._gravity_share = self.model.body_gravcomp.copy()
        self._ik = SpotIK(self.model)
        self._base = BaseDrive()
        self.root = Pose()

    # --- the scene ---

    def reset(self, params: Any) -> None:
        """Set up the scene of `params` and put the robot at its start; time begins at 0."""
        raise NotImplementedError

    def _reset_robot(self, base: np.ndarray, joints_rad: np.ndarray, gripper_fraction: float) -> None:
        """Zero the state: base (3,) (x, y, yaw in the world), arm (6,) [rad], gripper open to a fraction."""
        mujoco.mj_resetData(self.model, self.data)
        self.set_power(True)
        arm = np.array([*joints_rad, GRIPPER_OPEN_RAD * gripper_fraction])
        self.data.qpos[self._base_qpos], self.data.qpos[self._qpos] = base, arm
        self._base.rest_at(base)
        self._joint_goal_rad, self._joint_setpoint_rad = arm[:6].copy(), arm[:6].copy()
        self._hand_goal: tuple[str, Pose] | None = None
        self._hand_miss = (0.0, 0.0)
        self._finger_goal_rad = self._finger_setpoint_rad = float(arm[6])
        self._write_setpoints()
        mujoco.mj_forward(self.model, self.data)
        self.root = self.body_pose("world")
        self._substep = 0

    # --- commands; each holds until the next ---

    def set_joint_targets(self, joints_rad: np.ndarray) -> None:
        """Goal (6,) of the arm's joints sh0 sh1 el0 el1 wr0 wr1 [rad], clipped to their limits.

        Raises:
            TheiaError: if it is not six finite numbers.
        """
        goal = np.asarray(joints_rad, dtype=float)
        if goal.shape != (6,) or not np.all(np.isfinite(goal)):
            raise TheiaError(f"joint targets must be 6 finite angles [rad], not {joints_rad}")
        self._hand_goal, self._joint_goal_rad = None, np.clip(goal, self._low, self._high)

    def set_hand_target(self, pose: Pose, frame: str) -> None:
        """Where the hand should be from now on; in "body" it goes along with the base, else it stays.

        The commanded joints move there at 2.5 rad/s at most. A pose out of reach is approached as far as the
        joints allow; `hand_miss` says how far that is off.

        Raises:
            TheiaError: for an unknown frame or a pose that is not finite.
        """
        self._check_frame(frame)
        if not (np.all(np.isfinite(pose.position_m)) and np.all(np.isfinite(pose.rotation))):
            raise TheiaError("the hand's target is not finite")
        self._hand_goal = (frame, pose)

    def stop_arm(self) -> None:
        """Hold the arm where it is commanded to be now."""
        self.set_joint_targets(self._joint_setpoint_rad)

    def set_gripper(self, fraction: float) -> None:
        """Open the gripper to a fraction, 0 closed to 1 open, at 3 rad/s; it grips with 12 Nm at most.

        Raises:
            TheiaError: if it is not a finite number.
        """
        if not np.isfinite(fraction):
            raise TheiaError(f"the gripper's fraction must be a finite number, not {fraction}")
        self._finger_goal_rad = GRIPPER_OPEN_RAD * float(np.clip(fraction, 0.0, 1.0))

    def set_base_velocity(self, x_m_s: float, y_m_s: float, yaw_rad_s: float) -> None:
        """Walk with a velocity in the body's axes, at most 0.5 m/s and 0.8 rad/s, until told otherwise."""
        self._base.go_with(np.array([x_m_s, y_m_s, yaw_rad_s]))

    def set_base_target(self, pose: Pose, frame: str) -> None:
        """Walk to a pose on the plane (x, y and yaw of `pose`) and stand there."""
        self._check_frame(frame)
        goal = self.frame_pose(frame, "world") @ pose
        self._base.go_to(np.array([*goal.position_m[:2], goal.yaw_rad]))

    def stop_base(self) -> None:
        """Brake and stand."""
        self._base.stop()

    def set_power(self, on: bool) -> None:
        """Motor power of arm and gripper. Without it the arm sinks; the base stays where it is."""
        for table, gains in zip(
            (self.model.actuator_gainprm, self.model.actuator_biasprm), self._gains, strict=True
        ):
            table[self._ctrl] = gains[self._ctrl] * on
        self.model.body_gravcomp[:] = self._gravity_share * on
        self._powered = on
        if not on:
            self._base.stop()

    @property
    def is_powered(self) -> bool:
        """Whether arm and gripper have motor power."""
        return self._powered

    # --- time ---

    def step(self, seconds: float) -> None:
        """Advance the physics by a multiple of 2 ms; commands take effect every 20 ms."""
        every = round(CONTROL_S / TIMESTEP_S)
        for _ in range(round(seconds / TIMESTEP_S)):
            if self._substep % every == 0:
                self._control()
            self._substep += 1
            mujoco.mj_step(self.model, self.data)
            self._after_substep()

    def _after_substep(self) -> None:
        """Bookkeeping of a task after every 2 ms."""

    def _control(self) -> None:
        """Move the setpoints of base, arm and finger by one tick of 20 ms."""
        if not self._powered:  # what comes back to power stays where it has sunk to
            self._joint_goal_rad = self._joint_setpoint_rad = self.data.qpos[self._qpos[:6]].copy()
            self._hand_goal = None
            self._finger_goal_rad = self._finger_setpoint_rad = float(self.data.qpos[self._qpos[6]])
            self._write_setpoints()
            return
        self._base.advance(CONTROL_S)
        if self._hand_goal is not None:
            frame, goal = self._hand_goal
            reach = self._ik.solve(self.frame_pose(frame, "body") @ goal, self._joint_setpoint_rad)
            self._joint_goal_rad, self._hand_miss = reach.joints_rad, (reach.error_m, reach.error_rad)
        most_rad = FASTEST_JOINT_RAD_S * CONTROL_S
        left_rad = self._joint_goal_rad - self._joint_setpoint_rad
        share = min(1.0, most_rad / max(float(np.abs(left_rad).max()), 1e-9))
        self._joint_setpoint_rad = self._joint_setpoint_rad + share * left_rad
        most_rad = FASTEST_FINGER_RAD_S * CONTROL_S
        self._finger_setpoint_rad += float(
            np.clip(self._finger_goal_rad - self._finger_setpoint_rad, -most_rad, most_rad)
        )
        self._write_setpoints()

    def _write_setpoints(self) -> None:
        self.data.ctrl[self._ctrl[:6]] = self._joint_setpoint_rad
        self.data.ctrl[self._ctrl[6]] = self._finger_setpoint_rad
        self.data.ctrl[self._base_ctrl] = self._base.setpoint

    # --- state ---

    def joint_state(self) -> SpotJoints:
        """Joints as the robot reports them: arm0.sh0 sh1 el0 el1 wr0 wr1, then arm0.f1x (0 is closed)."""
        return SpotJoints(
            (*ARM_JOINTS, GRIPPER_JOINT),
            self.data.qpos[self._qpos].copy(),
            self.data.qvel[self._dof].copy(),
            (self.data.qfrc_actuator + self.data.qfrc_gravcomp)[self._dof],
        )

    def body_pose(self, frame: str) -> Pose:
        """Pose of the body in "odom", "vision" or "world"; its z is the body's height over the floor."""
        in_world = Pose(self.data.xpos[self._body].copy(), self.data.xmat[self._body].reshape(3, 3).copy())
        return WORLD_TFORM[self._check_frame(frame)].inverse() @ in_world if frame != "body" else Pose()

    def frame_pose(self, frame: str, seen_from: str) -> Pose:
        """Pose of one of `FRAMES` in another, `seen_from_tform_frame`."""
        return self._world_tform(seen_from).inverse() @ self._world_tform(frame)

    def hand_pose(self, frame: str) -> Pose:
        """Measured pose of the hand."""
        in_world = Pose(
            self.data.site_xpos[self._hand].copy(), self.data.site_xmat[self._hand].reshape(3, 3).copy()
        )
        return self._world_tform(frame).inverse() @ in_world

    def hand_velocity(self) -> tuple[np.ndarray, np.ndarray]:
        """Linear [m/s] and angular [rad/s] velocity (3,) of the hand, in the world's axes."""
        both = np.zeros(6)
        mujoco.mj_objectVelocity(self.model, self.data, mujoco.mjtObj.mjOBJ_SITE, self._hand, both, 0)
        return both[3:], both[:3]

    def hand_miss(self) -> tuple[float, float]:
        """How far the hand target is out of reach: distance [m] and angle [rad]; near zero if it is not."""
        return self._hand_miss if self._hand_goal is not None else (0.0, 0.0)

    def hand_error(self) -> tuple[float, float]:
        """Distance [m] and angle [rad] from the measured hand to its target; zero without a hand target.

        Together with `hand_velocity` it tells arrived (near zero), under way, and stalled (large and still).
        """
        if self._hand_goal is None:
            return 0.0, 0.0
        frame, goal = self._hand_goal
        return self.hand_pose(frame).distance_to(goal)

    def gripper_fraction(self) -> float:
        """How far the gripper is open, 0 closed to 1 open."""
        return float(self.data.qpos[self._qpos[6]] / GRIPPER_OPEN_RAD)

    def is_holding_item(self) -> bool:
        """The robot's own guess: the gripper pushes to close and something keeps it from closing."""
        pushes_nm = float(self.data.qfrc_actuator[self._dof[6]])
        return pushes_nm > _HOLDING_NM and self.gripper_fraction() > _HOLDING_FRACTION

    def base_velocity(self) -> np.ndarray:
        """Measured velocity (3,) of the base in the body's axes: forward, left [m/s], yaw [rad/s]."""
        x_m_s, y_m_s, yaw_rad_s = self.data.qvel[self._base_dof]
        yaw_rad = self.data.qpos[self._base_qpos[2]]
        cosine, sine = np.cos(yaw_rad), np.sin(yaw_rad)
        return np.array([cosine * x_m_s + sine * y_m_s, cosine * y_m_s - sine * x_m_s, yaw_rad_s])

    def base_stands(self) -> bool:
        """Whether the base has arrived and rests."""
        return self._base.stands and bool(np.all(np.abs(self.data.qvel[self._base_dof]) < 0.02))

    def observed_state(self) -> np.ndarray:
        """What a policy is told, (17,) float32: see `theia_core.actions.hand_state`."""
        return observed_state(
            self.data.qpos[self._qpos[:6]],
            self.gripper_fraction(),
            self.root.inverse() @ self.hand_pose("world"),
            self.is_holding_item(),
        )

    def recorded_joints(self, observed: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        """Names and values of an observed state (17,), as an episode holds them."""
        return STATE_NAMES, observed

    def follow(self, command: HandGoal) -> None:
        """Do what the guard says; its poses are in the root frame."""
        self.set_hand_target(self.root @ command.pose, "world")
        self.set_gripper(command.gripper)

    # --- pictures ---

    def camera_pose(self, camera: str = "policy") -> Pose:
        """Pose in the body of a camera, in the usual axes of images: x right, y down, z along the view."""
        place = self.model.camera(camera).id
        in_world = Pose(
            self.data.cam_xpos[place].copy(),
            self.data.cam_xmat[place].reshape(3, 3) * np.array([1.0, -1.0, -1.0]),
        )
        return self._world_tform("body").inverse() @ in_world

    def camera_fovy_rad(self, camera: str = "policy") -> float:
        """Vertical field of view of a camera; pixels are square."""
        return float(np.deg2rad(self.model.camera(camera).fovy[0]))

    @cached_property
    def spectator_model(self) -> mujoco.MjModel:
        """The scene for pictures for people: with Spot's own meshes where they are installed."""
        meshes = mesh_folder()
        return (
            self.model if meshes is None else mujoco.MjModel.from_xml_string(self._mjcf(meshes), self._files)
        )

    def _world_tform(self, frame: str) -> Pose:
        if self._check_frame(frame) == "body":
            return self.body_pose("world")
        return WORLD_TFORM[frame]

    @staticmethod
    def _check_frame(frame: str) -> str:
        if frame not in FRAMES:
            raise TheiaError(f"no frame {frame!r}; known: {', '.join(FRAMES)}")
        return frame
