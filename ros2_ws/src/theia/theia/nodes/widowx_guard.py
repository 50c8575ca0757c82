"""The guard node, the arm's only publisher.

Chunks in; joint goals at 50 Hz, the guard's state and what was executed out. The operator's orders, which are
services, are in `guard_orders`.
"""

import sys
import time
from dataclasses import dataclass

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from sensor_msgs.msg import JointState
from theia_msgs.msg import ActionChunk as ChunkMessage

from theia.messages.chunks import chunk_from_message
from theia.messages.joints import JointReader
from theia.messages.stamps import Now
from theia.nodekit.lifecycle import ManagedNode, NotReady
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import STREAM
from theia.nodes.guard_orders import GuardOrders
from theia.nodes.guard_reports import GuardReports, Numbers
from theia.nodes.xs_driver import Profile, XsDriver
from theia.topics import ACTION_CHUNK
from theia_core.actions.guard import Guard, GuardMode
from theia_core.actions.kinematics import ArmKinematics
from theia_core.actions.profile import load_profile
from theia_core.actions.spaces import EE_DELTA

_REFRESH_PERIOD_S = 0.2
_RIVALS_PERIOD_S = 1.0
_CHECK_PERIOD_S = 1.0
_EXIT_S = 30.0


@dataclass(frozen=True)
class GuardParameters:
    """Parameters of the guard node; limits are in the robot profile, which an operator may edit."""

    robot: str = parameter("wx250s", "shipped name or YAML file of the robot profile")
    task: str = parameter("door", "task whose workspace applies")
    sleep_on_exit: bool = parameter(
        False, "on SIGINT or SIGTERM move slowly to the sleep pose before ending; otherwise hold still"
    )


class GuardNode(ManagedNode):
    """A thin shell around theia_core.actions.guard.Guard; all its calls come from one thread."""

    def __init__(self) -> None:
        """Declare parameters; `configure` loads the profile."""
        super().__init__("widowx_guard")
        self.parameters = declare(self, GuardParameters)
        self._gripper_pwm = 0.0
        self._pushed_gripper = self._in_transition = False
        self.rivals: list[str] = []

    def configure(self) -> None:
        """Load profile and kinematics, look for the arm's driver."""
        self.profile = load_profile(self.parameters.robot)
        self.guard = Guard(self.profile, ArmKinematics(self.profile), self.parameters.task)
        self.driver = XsDriver(self, self.profile, lambda: self.guard.why_not_limp(time.monotonic()))
        self._joints = JointReader((*self.profile.joint_names, self.profile.finger_joint))
        self._reports = GuardReports(
            self, self.guard, self._numbers, step_s=self.profile.guard.step_s, action_space=EE_DELTA.name
        )
        joints = f"{self.profile.namespace}/joint_states"
        self._listening = [
            self.create_subscription(JointState, joints, self._on_joints, STREAM),
            self.create_subscription(ChunkMessage, ACTION_CHUNK, self._on_chunk, STREAM),
        ]
        self.orders = GuardOrders(self, self.guard, self.driver)
        self.diagnostics.before_publishing(self._gather)
        self.get_logger().info(f"guarding {self.profile.name} for task {self.parameters.task}")

    def activate(self) -> None:
        """Begin to command the arm, once its driver has been checked and `arm` is called."""
        if not self.driver.is_there:
            raise NotReady(f"{self.profile.namespace} lacks services of the arm's driver: is xs_sdk running?")
        if self.guard.measured is None:
            raise NotReady(f"no {self.profile.namespace}/joint_states: is xs_sdk running?")
        if not self.driver.is_ready:
            raise NotReady("the motors are being looked at")
        self._refresh_at_s = self._check_at_s = 0.0
        self.guard.disarm(time.monotonic())  # nobody knows what the arm has been through since `deactivate`
        self._look_for_rivals()
        self._rivals_timer = self.create_timer(_RIVALS_PERIOD_S, self._look_for_rivals)
        self._tick_timer = self.create_timer(self.profile.guard.tick_s, self._tick)

    def deactivate(self) -> None:
        """Leave the arm holding: its goal is where it was commanded last, the gripper pushes gently."""
        self.guard.hold(time.monotonic(), "the guard was shut down; the arm keeps its last goal")
        self.orders.cancel()
        self.guard.gripper.relax()
        self._refresh_at_s = 0.0
        self._tick()
        while not self.guard.at_rest:  # braking; a tenth of a second at most
            time.sleep(self.profile.guard.tick_s)
            self._tick()
        for timer in (self._tick_timer, self._rivals_timer):
            self.destroy_timer(timer)
        self._reports.finish(*self.driver.publishers)  # what this process said last must arrive

    def shut_down(self) -> None:
        """Hold; before that go to sleep if the parameter says so and the arm is in order.

        A lifecycle transition to finalized only holds: within it no joint_states would come in.
        """
        if self.parameters.sleep_on_exit and self.is_active and not self._in_transition:
            self._go_to_sleep()
        super().shut_down()

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Transition to finalized."""
        self._in_transition = True
        return super().on_shutdown(state)

    def _go_to_sleep(self) -> None:
        if not self.guard.mode.commands or self.executor is None:
            self.get_logger().warning(f"not going to sleep, {self.guard.mode.name}: {self.guard.reason}")
            return
        answer = self.orders.sleep(time.monotonic())
        self.get_logger().info(f"going to sleep before the end: {answer or 'once more Ctrl-C stops it'}")
        give_up_s = time.monotonic() + _EXIT_S
        while answer is None and self.orders.moving and time.monotonic() < give_up_s:
            self.executor.spin_once(timeout_sec=self.profile.guard.tick_s)

    def clean_up(self) -> None:
        """Forget robot and driver."""
        self.diagnostics.before_publishing(None)
        for subscription in self._listening:
            self.destroy_subscription(subscription)
        self.orders.close()
        self._reports.close()
        self.driver.close()

    # --- in ---

    def _on_joints(self, message: JointState) -> None:
        now_s = time.monotonic()
        self.guard.on_joint_state(now_s, self._joints.positions(message))
        self.diagnostics.rate("joint_states").tick()

    def _on_chunk(self, message: ChunkMessage) -> None:
        if not self.is_active:
            return
        now = Now.of(self)
        chunk = chunk_from_message(message, now)
        refusal = self.guard.on_chunk(now.monotonic_s, chunk)
        self.diagnostics.rate("chunks").tick()
        if refusal is None:
            self.diagnostics.samples("observation_to_guard_ms").add((now.monotonic_s - chunk.stamp_s) * 1000)
        self.publish_change()

    def _look_for_rivals(self) -> None:
        """xs_sdk obeys any publisher: the guard is in charge only where it is the only one."""
        rivals = self.driver.rivals()
        if rivals and rivals != self.rivals:
            self.get_logger().error(f"not the arm's only publisher: {', '.join(rivals)}; end the others")
        self.rivals = rivals
        if rivals:
            names = ", ".join(rivals)
            self.guard.fault(time.monotonic(), f"another node may command the arm: {names}")
            self.publish_change()

    # --- out ---

    def _tick(self) -> None:
        started_s = time.monotonic()
        self._keep_motors_ready(started_s)
        command = self.guard.tick(started_s)
        refresh = started_s >= self._refresh_at_s
        if refresh:
            self._refresh_at_s = started_s + _REFRESH_PERIOD_S
        if command is not None:
            self._pushed_gripper = True
            self.driver.command(command.joints_rad)
        if self._pushed_gripper:  # after the joints were let go, too: full PWM must not stay on
            self._gripper_pwm = self.guard.gripper.pwm(started_s)
            again = refresh and self.guard.mode != GuardMode.IDLE
            self.driver.push_gripper(self._gripper_pwm, again=again)
        self._reports.publish_executed()
        self.publish_change()
        self.diagnostics.samples("tick_ms").add((time.monotonic() - started_s) * 1000)
        self.diagnostics.rate("commands").tick()

    def _keep_motors_ready(self, now_s: float) -> None:
        """Give the motors the profile that is wanted; look at them again while something is wrong.

        A motor that was rebooted has lost its profile and would jump to its goals.
        """
        self.orders.advance(now_s)
        driver = self.driver
        wrong = self.guard.mode.is_stop or driver.trouble or not driver.has_torque
        wanted = Profile.MOVE if self.orders.moving else Profile.STREAM
        if driver.busy or now_s < self._check_at_s or not (wrong or driver.profile != wanted):
            return
        self._check_at_s = now_s + _CHECK_PERIOD_S
        driver.check(wanted)

    def publish_change(self) -> None:
        """Publish the state at once if mode or reason are not those shown last."""
        self._reports.publish_change()

    def _numbers(self) -> Numbers:
        return Numbers(self._joints.names, self.guard.measured, self.guard.setpoint, self._gripper_pwm)

    def _gather(self) -> None:
        self._reports.gather()
        self.diagnostics.facts["rivals"] = ", ".join(self.rivals)
        trouble = self.driver.trouble
        if self.is_active and (self.guard.mode.is_stop or trouble):
            self.diagnostics.warn(f"{self.guard.mode.name}: {self.guard.reason}; {trouble}".rstrip("; "))
        elif self.is_active:
            self.diagnostics.ok(f"{self.guard.mode.name}: {self.guard.reason}".rstrip(": "))


def main() -> int:
    """Run the node, where no process that is killed can make it wait."""
    return run_node(GuardNode, shared_memory=False)


if __name__ == "__main__":
    sys.exit(main())
