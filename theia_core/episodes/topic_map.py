"""A topic map: where in other people's recordings the camera, the joints and the actions are."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from theia_core.episodes.topics import OBSERVED_JOINTS
from theia_core.errors import TheiaError

ACTIONS_FROM = ("joints", "poses", "ee_delta", "chunks")
CLOCKS = ("header", "received")
EXAMPLE = """image: /camera/color/image_raw      # sensor_msgs/Image or CompressedImage
joints: /joint_states               # sensor_msgs/JointState
joint_names: {waist: joint_1, shoulder: joint_2, elbow: joint_3, forearm_roll: joint_4,
  wrist_angle: joint_5, wrist_rotate: joint_6, left_finger: finger_joint}   # ours: theirs; leave out if equal
finger: {closed: 0.0, open: 0.04}   # their finger's ends, mapped to ours; leave out if equal
actions_from: joints                # joints, poses, ee_delta or chunks
# actions: /target_pose             # poses: PoseStamped, ee_delta: arrays of 7, chunks: ActionChunk
clock: header                       # or received, if their header stamps are of no use
metadata: {task: door, success: true}
"""


@dataclass(frozen=True)
class TopicMap:
    """Where to find what.

    Attributes:
        image: topic of the camera.
        joints: topic of the joint states.
        joint_names: our joint -> their joint; empty if the names are ours.
        finger: positions "closed" and "open" of their finger; empty if its numbers are ours.
        actions_from: "joints" takes the motion that the arm made, "poses" that of commanded or measured poses
            of the end effector, "ee_delta" arrays of 7, "chunks" theia_msgs/ActionChunk.
        actions: topic of the actions; none with "joints".
        clock: which time is a message's: its header's stamp or when it was received.
        metadata: labels of the episodes.
    """

    image: str
    joints: str
    joint_names: Mapping[str, str] = field(default_factory=dict)
    finger: Mapping[str, float] = field(default_factory=dict)
    actions_from: str = "joints"
    actions: str = ""
    clock: str = "header"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a map that cannot be followed."""
        for name, value, known in (
            ("actions_from", self.actions_from, ACTIONS_FROM),
            ("clock", self.clock, CLOCKS),
        ):
            if value not in known:
                raise TheiaError(f"topic map: {name} is {value!r}; choose one of {', '.join(known)}")
        if bool(self.actions) == (self.actions_from == "joints"):
            raise TheiaError(
                "topic map: actions names a topic, unless actions_from is joints, where it must be left out"
            )
        if unknown := [name for name in self.joint_names if name not in OBSERVED_JOINTS]:
            raise TheiaError(
                f"topic map: joint_names has {unknown[0]!r}; ours are {', '.join(OBSERVED_JOINTS)}"
            )
        if self.finger and set(self.finger) != {"closed", "open"}:
            raise TheiaError("topic map: finger must give the positions closed and open")

    @property
    def theirs(self) -> list[str]:
        """Their names of the joints that we observe, in our order."""
        return [self.joint_names.get(name, name) for name in OBSERVED_JOINTS]


def read_topic_map(path: Path) -> TopicMap:
    """Read a topic map from YAML.

    Raises:
        TheiaError: if it cannot be read, lacks a topic or has a key that is unknown.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise TheiaError(f"cannot read the topic map {path}: {error}") from error
    known = [f.name for f in fields(TopicMap)]
    if not isinstance(values, dict) or not {"image", "joints"} <= set(values) <= set(known):
        raise TheiaError(f"topic map {path} must name image and joints, and nothing but {', '.join(known)}")
    return TopicMap(**values)
