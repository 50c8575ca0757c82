"""The teleoperation node: an operator's controls in, action chunks out, through the same guard as a policy's.

The clutch is a deadman's switch: while it is held the arm is armed and follows, when it is released or the
controls fall silent the guard is told to hold.
"""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import JointState, Joy
from std_srvs.srv import Trigger
from theia_msgs.msg import ActionChunk, GuardState
from theia_msgs.srv import ResetScene

from theia.messages.chunks import chunk_message
from theia.messages.joints import JointReader
from theia.messages.stamps import Now
from theia.nodekit.diagnostics import Diagnostics
from theia.nodekit.main import run_node
from theia.nodekit.outcome import Outcome
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import EVENT, STATE, STREAM
from theia.nodekit.ticker import Ticker
from theia.topics import ACTION_CHUNK, CARRIED_POSE, GUARD_STATE, HAND_STATE, JOY, RESET_SCENE
from theia_core.actions.execution import ChunkExecution, ExecutionMode
from theia_core.actions.hand_profile import load_hand_profile
from theia_core.actions.hand_state import STATE_NAMES
from theia_core.actions.kinematics import ArmKinematics
from theia_core.actions.profile import load_profile
from theia_core.actions.spaces import EE_DELTA, EE_POSE
from theia_core.tasks import train_seed
from theia_core.teleop.controls import SCENE, load_controls
from theia_core.teleop.hand_goal import CarriedGoal
from theia_core.teleop.motion import Teleoperation, turned_about_z

_ORDERS = ("estop", "home", "clear")
_STEPS_AHEAD = 2  # of the largest step: how far the goal of a hand may be ahead of it
_LEADER = "wx250s"  # the kind of leader arm


@dataclass(frozen=True)
class TeleopParameters:
    """Parameters of the teleoperation node."""

    action_space: str = parameter(
        "ee_delta", "ee_delta for the WidowX; ee_pose for Spot", choices=("ee_delta", "ee_pose")
    )
    robot: str = parameter("wx250s", "robot profile: largest steps, and the kinematics of a leader arm")
    guard: str = parameter("/widowx_guard", "the node whose services arm, estop, home and clear are called")
    controls: str = parameter(
        "gamepad", "what axes and buttons mean: gamepad, spacemouse, keyboard or a .yaml"
    )
    leader: str = parameter(
        "", "namespace of a leader arm of the same kind, whose joint_states move the hand; empty for none"
    )
    task: str = parameter("door", "task whose next scene a simulator is asked for")
    seed: int = parameter(0, "training seed of the present scene", low=0, high=999_998)
    scale: float = parameter(
        1.0, "our motion for a motion of leader or tracked controller", low=0.05, high=2.0
    )
    pose_yaw_deg: float = parameter(
        0.0,
        "turn of the tracking system's axes about z, against base_link's [degrees]",
        low=-180.0,
        high=180.0,
    )


class TeleopNode(Node):
    """A thin shell around theia_core.teleop.motion.Teleoperation."""

    def __init__(self) -> None:
        """Listen; nothing is sent before the clutch is held for the first time."""
        super().__init__("teleop")
        self.outcome = Outcome()
        self.diagnostics = Diagnostics(self)
        self.parameters = declare(self, TeleopParameters)
        space = self.parameters.action_space
        load = load_profile if space == EE_DELTA.name else load_hand_profile
        limits = load(self.parameters.robot).guard
        controls = load_controls(self.parameters.controls)
        self._hand = CarriedGoal(_STEPS_AHEAD * limits.max_step_m) if space == EE_POSE.name else None
        self._lock = threading.Lock()
        self._teleoperation = Teleoperation(
            controls, limits.max_step_m, limits.max_step_rad, self.parameters.scale
        )
        self._step_s = limits.step_s
        one_at_a_time = ExecutionMode(1, latency_compensation=False)
        self._execution = ChunkExecution(one_at_a_time, f"teleop-{controls.name}", self._step_s, space)
        self._guard: GuardState | None = None
        self._engaged = False
        self._chunks = self.create_publisher(ActionChunk, ACTION_CHUNK, STREAM)
        self.create_subscription(GuardState, GUARD_STATE, self._on_guard, STATE)
        self.create_subscription(Joy, JOY, self._on_joy, EVENT)
        self.create_subscription(PoseStamped, CARRIED_POSE, self._on_pose, STREAM)
        if self._hand is not None:
            self.create_subscription(JointState, HAND_STATE, self._on_hand, STREAM)
        if self.parameters.leader:
            profile = load_profile(_LEADER)
            self._kinematics = ArmKinematics(profile)
            self._reader = JointReader((*profile.joint_names, profile.finger_joint))
            self._finger_middle_m = float(np.mean(profile.finger_range_m))
            topic = f"{self.parameters.leader}/joint_states"
            self.create_subscription(JointState, topic, self._on_leader, STREAM)
        self._orders = {
            name: self.create_client(Trigger, f"{self.parameters.guard}/{name}")
            for name in ("arm", "disarm", *_ORDERS)
        }
        self._scene, self._seed = self.create_client(ResetScene, RESET_SCENE), self.parameters.seed
        self._ticker = Ticker(self._step_s, self._step, "teleop", self._on_crash)
        self._ticker.start()
        self.diagnostics.ok(f"waiting for the clutch of {controls.name}")

    def shut_down(self) -> None:
        """Order the guard to hold and stop."""
        self._ticker.stop()
        if self._engaged:
            self._publish_hold("teleoperation ended")

    # --- in ---

    def _on_joy(self, message: Joy) -> None:
        with self._lock:
            pressed = self._teleoperation.on_joy(message.axes, message.buttons, time.monotonic())
        self.diagnostics.rate("joy").tick()
        for name in pressed:
            if name in _ORDERS:
                self._order(name)
            elif name == SCENE:
                self._next_scene()
            elif name in ("faster", "slower"):
                self.get_logger().info(f"speed {100 * self._teleoperation.speed:.0f} %")

    def _on_pose(self, message: PoseStamped) -> None:
        place, turn = message.pose.position, message.pose.orientation
        quaternion = np.array([turn.x, turn.y, turn.z, turn.w])
        if not 0.9 < float(np.linalg.norm(quaternion)) < 1.1:
            self.get_logger().warning("a pose without an orientation is ignored", once=True)
            return
        rotation = Rotation.from_quat(quaternion).as_matrix()
        yaw_rad = np.deg2rad(self.parameters.pose_yaw_deg)
        pose = turned_about_z(np.array([place.x, place.y, place.z]), rotation, yaw_rad)
        with self._lock:
            self._teleoperation.on_pose(*pose)

    def _on_leader(self, message: JointState) -> None:
        positions = self._reader.positions(message)
        if len(positions) != len(self._reader.names):
            self.get_logger().warning("the leader's joint_states lack joints and are ignored", once=True)
            return
        pose = self._kinematics.fk(positions[:-1])
        with self._lock:
            self._teleoperation.on_pose(*pose, gripper=float(positions[-1] > self._finger_middle_m))

    def _on_hand(self, message: JointState) -> None:
        if tuple(message.name) == STATE_NAMES and self._hand is not None:
            with self._lock:
                self._hand.on_state(np.asarray(message.position))

    def _on_guard(self, message: GuardState) -> None:
        before, self._guard = self._guard, message
        if self._engaged and message.reason and (before is None or before.reason != message.reason):
            self.get_logger().warning(f"the guard: {message.reason}")

    # --- control, in a thread of its own ---

    def _step(self) -> None:
        now_s = time.monotonic()
        with self._lock:
            action = self._teleoperation.action(now_s, self._step_s)
        if action is None:
            if self._engaged:
                self._engaged = False
                self._publish_hold("clutch released")
                self.diagnostics.ok("clutch released")
            return
        if not self._engaged:
            self._engaged = True
            self.diagnostics.ok("engaged")
            if self._guard is not None and self._guard.mode in (GuardState.IDLE, GuardState.HOLD):
                self._order("arm")  # what is asked for until it is armed is refused, and not made up for
            if self._hand is not None:
                self._begin_at_the_hand()
        if self._hand is not None:
            with self._lock:
                pose = self._hand.action(action)
            if pose is None:
                self.diagnostics.warn(f"no {HAND_STATE}: is the bridge running?")
                return
            action = pose
        self._execution.predicted(action[None], now_s)
        self._publish(self._execution.step(now_s))

    def _begin_at_the_hand(self) -> None:
        """Absolute goals begin where the hand is, and with the gripper as it is."""
        assert self._hand is not None
        with self._lock:
            self._hand.engage()
            if self._hand.gripper is not None:
                self._teleoperation.take_gripper(self._hand.gripper)

    def _publish_hold(self, reason: str) -> None:
        self._publish(self._execution.hold(time.monotonic(), reason))

    def _publish(self, chunk) -> None:  # noqa: ANN001
        self._chunks.publish(chunk_message(chunk, Now.of(self)))
        self.diagnostics.rate("chunks").tick()

    def _order(self, name: str) -> None:
        """Ask the guard; the answer is printed when it comes."""
        client = self._orders[name]
        if not client.service_is_ready():
            self.get_logger().error(f"the guard does not answer to {name}: is it running?")
            return
        client.call_async(Trigger.Request()).add_done_callback(self._answered(name))

    def _next_scene(self) -> None:
        """Let go of the arm and ask the simulator for another scene of a training seed."""
        if not self._scene.service_is_ready():
            self.get_logger().error("there is no simulator that could set up a scene")
            return
        self._seed += 1
        request = ResetScene.Request(task=self.parameters.task, seed=train_seed(self._seed), cell_json="")
        disarmed = self._orders["disarm"].call_async(Trigger.Request())
        disarmed.add_done_callback(
            lambda _: self._scene.call_async(request).add_done_callback(self._answered(SCENE))
        )
        self.get_logger().info(f"next scene: seed {self._seed}")

    def _answered(self, name: str) -> Callable[..., None]:
        def say(future) -> None:  # noqa: ANN001
            response = future.result()
            if response is not None and not response.success:
                self.get_logger().warning(f"{name}: {response.message}")

        return say

    def _on_crash(self, error: BaseException) -> None:
        self.outcome.crash("teleoperation stopped", error)


def main() -> int:
    """Run the node."""
    return run_node(TeleopNode, shared_memory=False)


if __name__ == "__main__":
    sys.exit(main())
