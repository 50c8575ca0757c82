"""The simulated robot that all services share: who is in charge, what it does now, and when it stops."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bosdyn.api import estop_pb2

from theia_core.actions.poses import Pose
from theia_sim.spot.arm_motion import GripperMotion, HandMotion, JointMotion, Progress
from theia_sim.spot.base_motion import Drive, Posture, Walk
from theia_sim.spot.body import SpotBody
from theia_sim.spot.clock import RobotClock
from theia_sim.spot.estop import Estop
from theia_sim.spot.gate import Network, Tokens
from theia_sim.spot.leases import Leases
from theia_sim.spot.power import Power
from theia_sim.spot.time_sync import TimeSync

if TYPE_CHECKING:
    from theia_sim.spot.camera import SpotCamera

TICK_S = 0.01
_MOST_TICKS = 10
_SETTLE_S = 1.0


@dataclass
class Motion:
    """What one part of the robot does by one command."""

    command_id: int
    what: HandMotion | JointMotion | GripperMotion | Walk | Drive | Posture


@dataclass(frozen=True)
class BehaviorFault:
    """A fault that must be cleared before the robot obeys again; causes are those of the API."""

    number: int
    cause: int
    onset_s: float
    clearable: bool


class SimulatedSpot:
    """State behind the services. Whoever uses it holds `lock`; `run` advances it in real time.

    Attributes:
        lock: guards all of it, the body included.
        body, camera, clock, network, tokens, leases, estop, power, time_sync: the parts.
        greyscale: whether the camera knows no colours, as that of older robots.
        passwords: user name -> password.
        motions: "arm", "gripper" and "mobility" -> what that part does.
        standing: whether it stands.
        faults: behaviour faults that have not been cleared, by number.
        stop_reason: why it stopped last.
        charge_percent: of the battery.
        lost_s: time that the machine was too busy to simulate.
    """

    def __init__(
        self, body: SpotBody, camera: "SpotCamera", passwords: dict[str, str], clock: RobotClock
    ) -> None:
        """Begin without power, sitting."""
        self.lock = threading.RLock()
        self.body, self.camera, self.passwords, self.clock = body, camera, passwords, clock
        self.network, self.tokens, self.greyscale = Network(), Tokens(), False
        self.charge_percent, self.lost_s = 87.0, 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.boot()

    def boot(self) -> None:
        """Forget all that a restart of the robot's computer forgets. The arm rests where it is."""
        self.tokens.revoke_all()
        self.leases, self.estop, self.power, self.time_sync = Leases(), Estop(), Power(), TimeSync()
        self.motions: dict[str, Motion] = {}
        self.standing, self.faults = False, dict[int, BehaviorFault]()
        self.stop_reason = "just started"
        self._settling_since_s: float | None = None
        self._blocked_until_s = 0.0
        self._command_id = self._fault_number = 0

    # --- commands ---

    def new_command_id(self) -> int:
        """Number of the next command."""
        self._command_id += 1
        return self._command_id

    def hand_setpoint(self, frame: str) -> Pose:
        """Commanded pose of the hand in a frame; measured where none is commanded."""
        motion = self.motions.get("arm")
        what = motion.what if motion else None
        if isinstance(what, HandMotion) and what.progress in (Progress.MOVING, Progress.DONE):
            return self.body.frame_pose(what.knots.frame, frame) @ what.setpoint
        return self.body.hand_pose(frame)

    def gripper_setpoint(self) -> float:
        """Commanded fraction; measured where none is commanded."""
        motion = self.motions.get("gripper")
        what = motion.what if motion else None
        return what.setpoint if isinstance(what, GripperMotion) else self.body.gripper_fraction()

    # --- stopping ---

    def stop(self, reason: str) -> None:
        """Stop where it is; commands that are under way are cancelled."""
        self.stop_reason = reason
        for motion in self.motions.values():
            if motion.what.progress is Progress.MOVING:
                motion.what.progress = Progress.CANCELLED
        self.body.stop_base()
        self.body.stop_arm()
        self.body.set_gripper(self.gripper_setpoint())

    def cut_power(self, reason: str) -> None:
        """Take the motors' power away."""
        if self.power.is_on or self.power.is_switching:
            self.stop(reason)
        self.power.cut()
        self.standing, self._settling_since_s = False, None
        self.body.set_power(False)

    def obey_estop(self) -> None:
        """Stop if an e-stop demands it."""
        level, why = self.estop.level()
        powered = self.power.is_on or self.power.is_switching
        if level == estop_pb2.ESTOP_LEVEL_CUT and powered:
            self.cut_power(f"e-stop: {why}")
        elif level == estop_pb2.ESTOP_LEVEL_SETTLE_THEN_CUT and powered:
            if self._settling_since_s is None:
                self.stop(f"e-stop: {why}; settling")
                self._settling_since_s = time.monotonic()
            elif time.monotonic() - self._settling_since_s > _SETTLE_S:
                self.cut_power(f"e-stop: {why}; settled, power cut")

    def add_fault(self, cause: int, *, clearable: bool = True) -> BehaviorFault:
        """Begin a behaviour fault; the robot stops."""
        self._fault_number += 1
        fault = BehaviorFault(self._fault_number, cause, self.clock.now_s(), clearable)
        self.faults[fault.number] = fault
        self.stop(f"behaviour fault {fault.number}")
        return fault

    def block_arm(self, seconds: float) -> None:
        """Let an obstacle keep the arm where it is for so long."""
        self._blocked_until_s = time.monotonic() + seconds
        self.body.stop_arm()

    # --- time ---

    def tick(self, seconds: float = TICK_S) -> None:
        """Advance everything by a tick."""
        with self.lock:
            now_s = self.clock.now_s()
            self.obey_estop()
            if self.leases.revoke_if_silent():
                self.stop("the holder of the lease has been silent for too long")
            if self.power.advance(now_s):
                self.body.set_power(True)
            if self.power.is_on and self._settling_since_s is None:
                blocked = time.monotonic() < self._blocked_until_s
                for motion in self.motions.values():
                    motion.what.advance(now_s, seconds, self.body, blocked=blocked)
                    if isinstance(motion.what, Posture) and motion.what.progress is Progress.DONE:
                        self.standing = motion.what.standing
            self.body.step(seconds)

    def run(self, on_error: Callable[[Exception], None]) -> None:
        """Start the thread that keeps up with the wall clock; an exception ends it and is reported."""

        def follow() -> None:
            due_s = time.monotonic()
            try:
                while not self._stopping.wait(max(due_s - time.monotonic(), 0.0)):
                    behind = int((time.monotonic() - due_s) / TICK_S)
                    if behind > _MOST_TICKS:
                        self.lost_s += (behind - _MOST_TICKS) * TICK_S
                        due_s += (behind - _MOST_TICKS) * TICK_S
                    self.tick()
                    due_s += TICK_S
            except Exception as error:  # a thread has no caller that could see it
                on_error(error)

        self._stopping.clear()
        self._thread = threading.Thread(target=follow, name="spot physics", daemon=True)
        self._thread.start()

    def halt(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(2.0)
