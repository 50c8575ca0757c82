"""Spot with its arm in a scene, as an object: physics at 2 ms, commands, power, pictures for people.

Fast roll-outs and the simulated Spot behind gRPC drive this one object. It knows nothing of leases, time
limits or trajectories: whoever drives it says, every 20 ms or less often, where hand, gripper and base should
be. How the setpoints get there is in `spot_arm` and `spot_base`; what can be measured in `spot_measured`.
"""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from theia_core.actions.hand_filter import HandGoal
from theia_core.actions.poses import Pose
from theia_core.actions.spaces import EE_POSE
from theia_core.errors import TheiaError
from theia_sim.scenes.simulated_scene import TIMESTEP_S
from theia_sim.scenes.spot import ARM_JOINTS, BASE_JOINTS, GRIPPER_JOINT, GRIPPER_OPEN_RAD
from theia_sim.scenes.spot_arm import ArmDrive
from theia_sim.scenes.spot_base import BaseDrive
from theia_sim.scenes.spot_ik import SpotIK
from theia_sim.scenes.spot_measured import MeasuredSpot
from theia_sim.scenes.spot_meshes import mesh_folder

CONTROL_S = 0.02


class SpotWorld(MeasuredSpot):
    """A scene with Spot in it; a task's environment derives from this and brings `place` and `reset`.

    Not thread-safe: one thread calls everything. For pictures in another thread hand it a `snapshot()` and a
    renderer from `new_renderer()`; `new_renderer` itself may be called in any thread.

    Frames, poses and attributes are those of `MeasuredSpot`.
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
        self._ctrl = np.array([self.model.actuator(name).id for name in (*ARM_JOINTS, GRIPPER_JOINT)])
        self._base_ctrl = np.array([self.model.actuator(name).id for name in BASE_JOINTS])
        self._gains = self.model.actuator_gainprm.copy(), self.model.actuator_biasprm.copy()
        self._gravity_share = self.model.body_gravcomp.copy()
        self._ik = SpotIK(self.model)
        self._base = BaseDrive()

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
        self._arm = ArmDrive(self._ik, arm[:6], arm[6])
        self._hand_goal: tuple[str, Pose] | None = None
        self._write_setpoints()
        mujoco.mj_forward(self.model, self.data)
        self.root = self.body_pose("world")
        self._substep = 0

    @cached_property
    def spectator_model(self) -> mujoco.MjModel:
        """The scene for pictures for people: with Spot's own meshes where they are installed."""
        meshes = mesh_folder()
        return (
            self.model if meshes is None else mujoco.MjModel.from_xml_string(self._mjcf(meshes), self._files)
        )

    # --- commands; each holds until the next ---

    def set_joint_targets(self, joints_rad: np.ndarray) -> None:
        """Goal (6,) of the arm's joints sh0 sh1 el0 el1 wr0 wr1 [rad], clipped to their limits.

        Raises:
            TheiaError: if it is not six finite numbers.
        """
        self._arm.go_to(joints_rad)
        self._hand_goal = None

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
        self.set_joint_targets(self._arm.joints_rad)

    def set_gripper(self, fraction: float) -> None:
        """Open the gripper to a fraction, 0 closed to 1 open, at 3 rad/s; it grips with 12 Nm at most.

        Raises:
            TheiaError: if it is not a finite number.
        """
        self._arm.open_gripper(fraction)

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

    def follow(self, command: HandGoal) -> None:
        """Do what the guard says; its poses are in the root frame."""
        self.set_hand_target(self.root @ command.pose, "world")
        self.set_gripper(command.gripper)

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

    # --- how far it has come ---

    def hand_miss(self) -> tuple[float, float]:
        """How far the hand target is out of reach: distance [m] and angle [rad]; near zero if it is not."""
        return self._arm.miss if self._hand_goal is not None else (0.0, 0.0)

    def hand_error(self) -> tuple[float, float]:
        """Distance [m] and angle [rad] from the measured hand to its target; zero without a hand target.

        Together with `hand_velocity` it tells arrived (near zero), under way, and stalled (large and still).
        """
        if self._hand_goal is None:
            return 0.0, 0.0
        frame, goal = self._hand_goal
        return self.hand_pose(frame).distance_to(goal)

    def base_stands(self) -> bool:
        """Whether the base has arrived and rests."""
        return self._base.stands and bool(np.all(np.abs(self.data.qvel[self._base_dof]) < 0.02))

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
            self._arm.rest_at(self.data.qpos[self._qpos[:6]], self.data.qpos[self._qpos[6]])
            self._hand_goal = None
            self._write_setpoints()
            return
        self._base.advance(CONTROL_S)
        if self._hand_goal is not None:
            frame, goal = self._hand_goal
            self._arm.reach_for(self.frame_pose(frame, "body") @ goal)
        self._arm.advance(CONTROL_S)
        self._write_setpoints()

    def _write_setpoints(self) -> None:
        self.data.ctrl[self._ctrl[:6]] = self._arm.joints_rad
        self.data.ctrl[self._ctrl[6]] = self._arm.finger_rad
        self.data.ctrl[self._base_ctrl] = self._base.setpoint
