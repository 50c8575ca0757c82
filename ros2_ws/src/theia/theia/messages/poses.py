"""geometry_msgs/Pose and Pose."""

import numpy as np
from geometry_msgs.msg import Point, Quaternion
from geometry_msgs.msg import Pose as PoseMessage
from scipy.spatial.transform import Rotation

from theia_core.actions.poses import Pose


def pose_message(pose: Pose) -> PoseMessage:
    """The message of a pose."""
    x, y, z = map(float, pose.position_m)
    qx, qy, qz, qw = map(float, Rotation.from_matrix(pose.rotation).as_quat())
    return PoseMessage(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def pose_of_message(message: PoseMessage) -> Pose:
    """The pose of a message; quaternions of zeros stand for no rotation."""
    position, q = message.position, message.orientation
    quaternion = np.array([q.x, q.y, q.z, q.w])
    rotation = Rotation.from_quat(quaternion if quaternion.any() else [0.0, 0.0, 0.0, 1.0])
    return Pose(np.array([position.x, position.y, position.z]), rotation.as_matrix())
