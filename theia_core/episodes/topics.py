"""Names that the robot, the simulator and a recording share."""

IMAGE = "/camera/image_raw"
COMPRESSED_IMAGE = "/camera/image_raw/compressed"
JOINT_STATES = "/wx250s/joint_states"
SPOT_STATE = "/spot/observed_state"  # sensor_msgs/JointState with the names of `actions.hand_state`
EXECUTED_ACTION = "/theia/executed_action"
EPISODE_EVENT = "/theia/episode_event"

# What a policy is told of the arm: six joints [rad], then the left finger [m].
OBSERVED_JOINTS = (
    "waist",
    "shoulder",
    "elbow",
    "forearm_roll",
    "wrist_angle",
    "wrist_rotate",
    "left_finger",
)
