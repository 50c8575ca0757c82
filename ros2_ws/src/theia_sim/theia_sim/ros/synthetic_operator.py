"""A synthetic operator: demonstrates as a person would, with a gamepad's Joy messages through DDS.

It looks at what a person sees, joint states and how far the door is open, and pushes sticks and buttons of a
gamepad; teleop does not know who holds it. Scenes are those of training seeds.
"""

import json
import sys
import threading
import time
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import JointState, Joy
from theia_msgs.msg import GuardState, TaskState
from theia_msgs.srv import RecordEpisode, ResetScene

from theia.messages.joints import JointReader
from theia.nodekit.calls import call, trigger
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import EVENT, STATE, STREAM
from theia.nodekit.script import ScriptNode
from theia.topics import GUARD, GUARD_STATE, JOY, RECORD, RESET_SCENE, TASK_STATE
from theia_core.actions.profile import load_profile
from theia_core.errors import TheiaError
from theia_core.tasks import get_task, train_seed
from theia_core.teleop.controls import load_controls
from theia_sim.operator import DoorOperator
from theia_sim.scenes.door import DoorParams

_PERIOD_S = 0.04
_AFTER_SUCCESS_S = 0.8
_READY_S = 120.0


@dataclass(frozen=True)
class OperatorParameters:
    """Parameters of the synthetic operator."""

    task: str = parameter("door", "task to demonstrate", choices=("door",))
    episodes: int = parameter(10, "demonstrations to record", low=1, high=10000)
    seed: int = parameter(0, "first training seed", low=0, high=999_999)
    controls: str = parameter("gamepad", "whose axes and buttons are pushed")


class SyntheticOperatorNode(ScriptNode):
    """Demonstrates one scene after the other; its exit code is 0 if it recorded all of them."""

    def __init__(self) -> None:
        """Subscribe and start."""
        super().__init__("synthetic_operator")
        self.parameters = declare(self, OperatorParameters)
        self.task = get_task(self.parameters.task)
        self._operator = DoorOperator(load_controls(self.parameters.controls))
        profile = load_profile(self.task.robot)
        self._reader = JointReader((*profile.joint_names, profile.finger_joint))
        self._lock = threading.Lock()
        self._joints: np.ndarray | None = None
        self._state: TaskState | None = None
        self._guard: GuardState | None = None
        self._orders: dict = {}
        self._joy = self.create_publisher(Joy, JOY, EVENT)
        self.create_subscription(JointState, f"{profile.namespace}/joint_states", self._on_joints, STREAM)
        self.create_subscription(TaskState, TASK_STATE, self._on_state, EVENT)
        self.create_subscription(GuardState, GUARD_STATE, self._on_guard, STATE)
        self._reset = self.create_client(ResetScene, RESET_SCENE)
        self._record = self.create_client(RecordEpisode, RECORD)
        self.begin()

    def script(self) -> int:
        """Demonstrate until enough takes are kept, or too many in a row have failed."""
        ready = self.wait_until(
            lambda: (
                self._joints is not None
                and self._state is not None
                and self._guard is not None
                and self._joy.get_subscription_count() >= 1
            ),
            _READY_S,
        )
        if not ready:
            raise TheiaError(f"no simulator, guard or teleop within {_READY_S:.0f} s; see the other nodes")
        if not self.wait_until(self._guard_obeys, _READY_S, look_s=0.5):
            raise TheiaError(f"the guard was not activated within {_READY_S:.0f} s; see its output")
        succeeded = 0
        for index in range(self.parameters.episodes):
            seed = train_seed(self.parameters.seed + index)
            success = self._demonstrate(seed)
            succeeded += success
            print(
                f"take {index + 1}/{self.parameters.episodes}, seed {seed}: "
                f"{'kept' if success else 'failed'}, {succeeded} kept so far",
                flush=True,
            )
        return 0

    def _guard_obeys(self) -> bool:
        try:
            trigger(self, self._orders, f"{GUARD}/clear")
        except TheiaError:  # it is still being brought up
            return False
        return True

    def _demonstrate(self, seed: int) -> bool:
        """One take: reset, start, drive, keep or discard."""
        self._let_go()
        for order in ("clear", "disarm"):
            trigger(self, self._orders, f"{GUARD}/{order}")
        scene = self._set_up(seed)
        labels = {"randomisation": json.dumps(scene), "operator": "synthetic", "seed": seed}
        self._ask_recorder("start", labels, f"{self.task.id}_{seed:06d}")
        for buttons in (["clutch"], ["clutch", "open"]):  # the last take may have ended with the gripper shut
            self._send(self._operator.push(np.zeros(6), buttons))
            self.pause(_PERIOD_S)
        success = self._drive()
        self._let_go()
        self._ask_recorder("keep" if success else "discard", {})
        return success

    def _set_up(self, seed: int) -> dict:
        cell = self.task.sample_training_params(seed)
        request = ResetScene.Request(task=self.task.id, seed=seed, cell_json=json.dumps(cell))
        response = call(self._reset, request, answer_s=30.0)
        if not response.success:
            raise TheiaError(f"the scene of seed {seed} cannot be set up: {response.message}")
        scene = json.loads(response.params_json)
        self._operator.face(DoorParams.from_dict(scene))
        if not self.wait_until(lambda: self._state is not None and self._state.seed == seed, 10.0):
            raise TheiaError("the simulator does not show the new scene")
        self.pause(0.3)
        return scene

    def _drive(self) -> bool:
        """Hold the clutch and drive until the door is open or time is up."""
        until_s = time.monotonic() + 2 * self.task.horizon_steps / self.task.control_rate_hz
        done_s: float | None = None
        while time.monotonic() < until_s:
            with self._lock:
                joints, state = self._joints, self._state
            assert joints is not None and state is not None and self._guard is not None
            if all(state.reached):
                done_s = done_s or time.monotonic()
                if time.monotonic() - done_s > _AFTER_SUCCESS_S:
                    return True
            if self._guard.mode == GuardState.FAULT:  # let go, see that it is over, take the clutch again
                self._let_go()
                trigger(self, self._orders, f"{GUARD}/clear")
            info = json.loads(state.info_json)
            self._send(self._operator.drive(joints, info["door_angle_rad"], bool(info["holding"])))
            self.pause(_PERIOD_S)
        return False

    def _send(self, joy: tuple[list[float], list[int]]) -> None:
        message = Joy(axes=joy[0], buttons=joy[1])
        message.header.stamp = self.get_clock().now().to_msg()
        self._joy.publish(message)

    def _let_go(self) -> None:
        """Release everything, and see that the arm is held."""
        for _ in range(3):
            self._send(self._operator.release())
            self.pause(_PERIOD_S)
        self.wait_until(lambda: self._guard is None or self._guard.mode != GuardState.ACTIVE, 2.0)

    def _ask_recorder(self, command: str, metadata: dict, episode_id: str = "") -> None:
        request = RecordEpisode.Request(
            command=command, episode_id=episode_id, metadata_json=json.dumps(metadata)
        )
        response = call(self._record, request)
        if not response.success:
            raise TheiaError(f"the recorder did not {command}: {response.message}")

    def _on_joints(self, message: JointState) -> None:
        positions = self._reader.positions(message)
        if len(positions) == len(self._reader.names):
            with self._lock:
                self._joints = positions

    def _on_state(self, message: TaskState) -> None:
        with self._lock:
            self._state = message

    def _on_guard(self, message: GuardState) -> None:
        self._guard = message


def main() -> int:
    """Run the node."""
    return run_node(SyntheticOperatorNode)


if __name__ == "__main__":
    sys.exit(main())
