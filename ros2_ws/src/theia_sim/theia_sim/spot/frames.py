"""Poses as messages of the robot, and its tree of frames."""

import numpy as np
from bosdyn.api import geometry_pb2
from scipy.spatial.transform import Rotation

from theia_core.actions.poses import Pose

BODY, FLAT_BODY, ODOM, VISION, HAND = "body", "flat_body", "odom", "vision", "hand"


def to_proto(pose: Pose) -> geometry_pb2.SE3Pose:
    """SE3Pose of a pose."""
    x, y, z, w = Rotation.from_matrix(pose.rotation).as_quat()
    px, py, pz = pose.position_m
    return geometry_pb2.SE3Pose(
        position=geometry_pb2.Vec3(x=px, y=py, z=pz), rotation=geometry_pb2.Quaternion(x=x, y=y, z=z, w=w)
    )


def from_proto(message: geometry_pb2.SE3Pose) -> Pose:
    """Pose of an SE3Pose; a quaternion of zeros, which is what an unset field holds, is no rotation.

    Raises:
        ValueError: if it is not finite.
    """
    position, q = message.position, message.rotation
    values = np.array([position.x, position.y, position.z, q.x, q.y, q.z, q.w])
    if not np.all(np.isfinite(values)):
        raise ValueError("a pose is not finite")
    quaternion = values[3:] if values[3:].any() else np.array([0.0, 0.0, 0.0, 1.0])
    return Pose(values[:3], Rotation.from_quat(quaternion).as_matrix())


def frame_tree(body_tform: dict[str, Pose]) -> geometry_pb2.FrameTreeSnapshot:
    """The tree with `body` as its root and the frames whose poses in it are given."""
    tree = geometry_pb2.FrameTreeSnapshot()
    tree.child_to_parent_edge_map[BODY].parent_frame_name = ""
    for name, pose in body_tform.items():
        edge = tree.child_to_parent_edge_map[name]
        edge.parent_frame_name = BODY
        edge.parent_tform_child.CopyFrom(to_proto(pose))
    return tree
