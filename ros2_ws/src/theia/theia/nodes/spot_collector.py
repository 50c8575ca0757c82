"""Unattended demonstrations of the drawer on Spot: walk to a random start, open by script, shut, again.

All of it goes through the bridge, which is the same for the simulated Spot and the real one; where the
cabinet is, the fiducial on it says. What is recorded is skipped: an interrupted collection goes on.
"""

import itertools
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.client import Client
from sensor_msgs.msg import JointState
from theia_msgs.msg import ActionChunk as ChunkMessage
from theia_msgs.msg import GuardState, TaskState
from theia_msgs.srv import RecordEpisode
from visualization_msgs.msg import MarkerArray

from theia.messages.chunks import chunk_message
from theia.messages.json_object import parse_object
from theia.messages.poses import pose_message, pose_of_message
from theia.messages.stamps import Now
from theia.nodekit.calls import call, order_when_free
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import EVENT, STATE, STREAM
from theia.nodekit.script import ScriptNode
from theia.topics import (
    ACTION_CHUNK,
    FIDUCIALS,
    GUARD_STATE,
    HAND_STATE,
    RECORD,
    SPOT_BRIDGE,
    TASK_STATE,
    WALK_TO,
)
from theia_core.actions.chunks import ActionChunk
from theia_core.actions.hand_filter import HandGoal
from theia_core.actions.poses import Pose
from theia_core.actions.rotations import matrix_from_rotation_6d
from theia_core.actions.spaces import EE_POSE
from theia_core.errors import TheiaError
from theia_core.tasks import get_task, train_seed
from theia_core.tasks.drawer import OPEN_M
from theia_core.tasks.drawer_script import FIDUCIAL_TFORM_BAR, closing, opening

FIDUCIAL_TFORM_START = Pose(np.array([0.152, 0.068, 1.082]), FIDUCIAL_TFORM_BAR.rotation)
"""The body at its nominal place before the simulated cabinet, seen from the tag; measured once on another."""

_DT_S, _HORIZON = 0.2, 2
_REACHED_M, _LONGEST_STEP_S = 0.03, 1.5
_NEAR_M, _NEAR_RAD = 0.03, 0.05
_WALKS, _WALK_AGAIN_S = 4, 6.0
_ATTEMPTS = 3
_SHUT_M = 0.02
_SETTLE_S = 0.6


@dataclass(frozen=True)
class CollectorParameters:
    """Parameters of the collector."""

    episodes: int = parameter(50, "demonstrations to have in the folder", low=1, high=10000)
    first_seed: int = parameter(
        0, "first training seed: start of the first demonstration", low=0, high=999999
    )
    folder: str = parameter("runs/spot_drawer", "folder of the episodes, the recorder's")
    robot: str = parameter("sim", "sim for the simulated Spot; a label of the episodes")
    ready_s: float = parameter(120.0, "how long to wait for the bridge [s]", low=1.0, high=3600.0)


class SpotCollectorNode(ScriptNode):
    """Operator and policy at once."""

    def __init__(self) -> None:
        """Subscribe and start."""
        super().__init__("spot_collector")
        self.parameters = declare(self, CollectorParameters)
        self.task = get_task("drawer")
        self._guard: GuardState | None = None
        self._hand: JointState | None = None
        self._tag: tuple[float, Pose] | None = None
        self._scene: TaskState | None = None
        self._sequence = itertools.count(1)
        self._triggers: dict[str, Client] = {}
        self._chunks = self.create_publisher(ChunkMessage, ACTION_CHUNK, STREAM)
        self._walk_to = self.create_publisher(PoseStamped, WALK_TO, STREAM)
        self._record = self.create_client(RecordEpisode, RECORD)
        self.create_subscription(GuardState, GUARD_STATE, self._on_guard, STATE)
        self.create_subscription(JointState, HAND_STATE, self._on_hand, STREAM)
        self.create_subscription(MarkerArray, FIDUCIALS, self._on_fiducials, STREAM)
        self.create_subscription(TaskState, TASK_STATE, self._on_scene, EVENT)
        self.begin()

    def script(self) -> int:
        """Collect until the folder holds the wanted number; 0 if it does."""
        wanted = self.parameters
        if not self.wait_until(lambda: self._guard is not None and self._tag is not None, wanted.ready_s):
            missing = "guard_state: is the bridge active?" if self._guard is None else "fiducial in view"
            raise TheiaError(f"no {missing}")
        for name in ("take_lease", "power_on", "stand"):
            self._order(name)
        for index in range(wanted.episodes):
            name = f"drawer_{wanted.first_seed + index:06d}"
            if (Path(wanted.folder) / f"{name}.mcap").exists():
                _say(f"{name}: is there already")
            elif not self._collected(name, train_seed(wanted.first_seed + index)):
                raise TheiaError(f"{name} failed {_ATTEMPTS} times; see what is wrong, then start again")
            _say(f"{index + 1} of {wanted.episodes} demonstrations")
        self._order("home")
        return 0

    def _collected(self, name: str, seed: int) -> bool:
        failed = False
        for _ in range(_ATTEMPTS):
            try:
                if failed:
                    self._recover()
                if self._demonstrate(name, seed):
                    return True
            except TheiaError as error:
                _say(f"{name}: {error}")
                failed = True
        return False

    def _demonstrate(self, name: str, seed: int) -> bool:
        """Record one demonstration and shut the drawer again; False, and nothing kept, if it failed."""
        params = self.task.sample_training_params(seed)
        x_m, y_m, yaw_rad = (float(params[key]) for key in ("start_x_m", "start_y_m", "start_yaw_rad"))
        self._order("home")
        self._walk(FIDUCIAL_TFORM_START @ Pose.on_plane(x_m, y_m, yaw_rad))
        labels = {
            "task": self.task.id,
            "robot": "spot_arm",
            "simulated": self.parameters.robot == "sim",
            "seed": seed,
            "operator": "script",
            "randomisation": params,
        }
        self._ask_recorder("start", labels, name)
        try:
            bar, hand = self._begin_run()
            pulled_m = self._play(opening(hand, bar), bar)
        except TheiaError:
            self._ask_recorder("discard", {})
            raise
        success = self._is_open(pulled_m)
        self._ask_recorder("stop" if success else "discard", {"success": success} if success else {})
        _say(f"{name}: {'open' if success else 'not kept, not open'}, pulled {pulled_m * 100:.0f} cm")
        self._shut()
        return success

    # --- the drawer ---

    def _shut(self) -> None:
        """Push the drawer shut, by script.

        Raises:
            TheiaError: if it cannot be.
        """
        for _ in range(_ATTEMPTS):
            bar, hand = self._begin_run()
            self._play(closing(hand, bar), bar)
            self._order("hold")
            if self._out_m() < _SHUT_M:
                return
        raise TheiaError(f"the drawer is still {self._out_m() * 100:.0f} cm out after {_ATTEMPTS} pushes")

    def _out_m(self) -> float:
        """How far the drawer is out where that is known (the simulator says), else 0."""
        scene = self._scene
        return float(parse_object(scene.info_json, "info_json").get("drawer_m", 0.0)) if scene else 0.0

    def _is_open(self, pulled_m: float) -> bool:
        """By the simulator's judgement of the drawer, or by how far the hand pulled what it held."""
        return self._out_m() >= OPEN_M if self._scene is not None else pulled_m >= OPEN_M

    # --- motion ---

    def _begin_run(self) -> tuple[Pose, HandGoal]:
        """Arm; where the handle and the hand are in the root frame of this run."""
        armed_s = self._now_s()
        self._order("disarm")
        self.pause(_SETTLE_S)
        if not self.wait_until(lambda: self._tag is not None and self._tag[0] > armed_s, 5.0):
            raise TheiaError("the fiducial is not in view any more")
        self._order("arm")
        if not self.wait_until(lambda: self._guard.mode == GuardState.ACTIVE, 2.0):
            raise TheiaError(f"armed but not active: {self._guard.reason}")
        self._hand = None
        if not self.wait_until(lambda: self._hand is not None, 5.0):
            raise TheiaError(f"no {HAND_STATE}")
        return self._tag[1] @ FIDUCIAL_TFORM_BAR, self._hand_goal()

    def _play(self, goals: Sequence[HandGoal], bar: Pose) -> float:
        """Send goals, each until the hand is near it or a while has passed; how far it pulled what it held.

        Raises:
            TheiaError: if the guard stops.
        """
        pulled_m = 0.0
        for step in range(len(goals)):
            executed_before, give_up_s = self._guard.executed_steps, time.monotonic() + _LONGEST_STEP_S
            while True:
                self._send(goals[step : step + _HORIZON])
                self.pause(_DT_S)
                if self._guard.mode not in (GuardState.ACTIVE, GuardState.HOLD):
                    raise TheiaError(f"the guard stopped: {self._guard.reason}")
                hand = self._hand_goal()
                if self._hand.position[-1]:  # it holds something
                    pulled_m = max(pulled_m, -float((bar.inverse() @ hand.pose).position_m[0]))
                off_m, _ = hand.pose.distance_to(goals[step].pose)
                taken = self._guard.executed_steps > executed_before
                if (taken and off_m < _REACHED_M) or time.monotonic() > give_up_s:
                    break
        return pulled_m

    def _send(self, goals: Sequence[HandGoal]) -> None:
        now_s = time.monotonic()
        chunk = ActionChunk(
            stamp_s=now_s,
            dt_s=_DT_S,
            actions=np.array([goal.action for goal in goals]),
            expires_at_s=now_s + 2 * _HORIZON * _DT_S,
            sequence=next(self._sequence),
            policy_id="script",
            action_space=EE_POSE.name,
        )
        self._chunks.publish(chunk_message(chunk, Now.of(self)))

    def _hand_goal(self) -> HandGoal:
        values = np.array(self._hand.position)
        return HandGoal(Pose(values[7:10], matrix_from_rotation_6d(values[10:16])), float(values[6]))

    def _walk(self, tag_tform_goal: Pose) -> None:
        """Walk until the fiducial says that the body is there.

        Raises:
            TheiaError: if it does not come near.
        """
        off_m = off_rad = np.inf

        def is_there() -> bool:
            nonlocal off_m, off_rad
            place = self._tag[1] @ tag_tform_goal  # in the body
            off_m, off_rad = float(np.linalg.norm(place.position_m[:2])), abs(place.yaw_rad)
            return off_m < _NEAR_M and off_rad < _NEAR_RAD

        frame = f"fiducial_{self._tag_id}"
        for _ in range(_WALKS):
            message = PoseStamped(pose=pose_message(tag_tform_goal))
            message.header.frame_id, message.header.stamp = frame, self.get_clock().now().to_msg()
            self._walk_to.publish(message)
            if self.wait_until(is_there, _WALK_AGAIN_S):
                self.pause(_SETTLE_S)
                return
        raise TheiaError(f"walking ended {off_m * 100:.0f} cm and {np.degrees(off_rad):.0f} degrees off")

    def _recover(self) -> None:
        """After a stop: what an operator would order; the drawer may be anywhere, so it is shut.

        Raises:
            TheiaError: if the robot does not obey.
        """
        for name in ("hold", "clear", "take_lease", "power_on", "stand", "home", "arm"):
            self._order(name)
        self._shut()

    # --- services and topics ---

    def _order(self, name: str) -> None:
        order_when_free(self, self._triggers, f"{SPOT_BRIDGE}/{name}")

    def _ask_recorder(self, command: str, metadata: dict[str, Any], episode_id: str = "") -> None:
        request = RecordEpisode.Request(
            command=command, episode_id=episode_id, metadata_json=json.dumps(metadata)
        )
        response = call(self._record, request)
        if not response.success:
            raise TheiaError(f"the recorder did not {command}: {response.message}")

    def _now_s(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9

    def _on_guard(self, message: GuardState) -> None:
        self._guard = message

    def _on_hand(self, message: JointState) -> None:
        self._hand = message

    def _on_scene(self, message: TaskState) -> None:
        self._scene = message

    def _on_fiducials(self, message: MarkerArray) -> None:
        if message.markers:
            nearest = min(message.markers, key=lambda marker: marker.pose.position.x)
            self._tag_id = nearest.id
            self._tag = self._now_s(), pose_of_message(nearest.pose)


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Run the node."""
    return run_node(SpotCollectorNode)


if __name__ == "__main__":
    sys.exit(main())
