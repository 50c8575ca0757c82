"""A scene with Spot in it, as far as it can be measured: joints, poses and velocities, the camera's place."""

from dataclasses import dataclass

import mujoco
import numpy as np

from theia_core.actions.hand_state import STATE_NAMES, observed_state
from theia_core.actions.poses import Pose
from theia_core.errors import TheiaError
from theia_sim.scenes.simulated_scene import SimulatedScene
from theia_sim.scenes.spot import ARM_JOINTS, BASE_JOINTS, GRIPPER_JOINT, GRIPPER_OPEN_RAD

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


class MeasuredSpot(SimulatedScene):
    """What `SpotWorld`, which derives from this and moves the robot, knows of it.

    Frames: "body" is the robot's body (x forward, y left, z up, origin between the hips), which moves with
    the base; "odom" and "vision" are fixed in the scene, "world" is the scene's own. Poses are `Pose`
    objects. The hand's pose is that of the robot's frame "hand".

    Attributes:
        model, data: MuJoCo's.
        params: parameters of the present scene, None before the first reset.
        root: pose in "world" of the frame "start_body" that actions and observed states use: where the body
            stood at the reset. It does not move with the base.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        """Find the robot in a compiled scene."""
        super().__init__(model)
        joints = [model.joint(name) for name in (*ARM_JOINTS, GRIPPER_JOINT)]
        self._qpos = np.array([joint.qposadr[0] for joint in joints])
        self._dof = np.array([joint.dofadr[0] for joint in joints])
        base = [model.joint(name) for name in BASE_JOINTS]
        self._base_qpos = np.array([joint.qposadr[0] for joint in base])
        self._base_dof = np.array([joint.dofadr[0] for joint in base])
        self._body, self._hand = model.body("body").id, model.site("hand").id
        self.root = Pose()

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

    def _world_tform(self, frame: str) -> Pose:
        if self._check_frame(frame) == "body":
            return self.body_pose("world")
        return WORLD_TFORM[frame]

    @staticmethod
    def _check_frame(frame: str) -> str:
        if frame not in FRAMES:
            raise TheiaError(f"no frame {frame!r}; known: {', '.join(FRAMES)}")
        return frame
