"""Text of theia_msgs for recordings, so that the library writes them without ROS.

The messages themselves live, with their comments, in ros2_ws/src/theia_msgs; a test compares the two.
"""

DEFINITIONS = {
    "theia_msgs/msg/ActionChunk": """
std_msgs/Header header
string policy_id
string action_space
float32 dt_s
uint32 horizon
uint32 dim
float32[] data
builtin_interfaces/Time expires_at
uint64 sequence
string reason
""",
    "theia_msgs/msg/EpisodeEvent": """
string START="start"
string STOP="stop"
string DISCARD="discard"
string STAGE="stage"
string NOTE="note"
std_msgs/Header header
string episode_id
string event
string detail
""",
    "theia_msgs/msg/GuardState": """
uint8 IDLE=0
uint8 ACTIVE=1
uint8 HOLD=2
uint8 FAULT=3
uint8 ESTOP=4
std_msgs/Header header
uint8 mode
string reason
string[] joint_names
float64[] measured
float64[] commanded
float32 gripper_pwm
string policy_id
uint64 executed_steps
uint64 dropped_late
string[] refusal_names
uint64[] refusal_counts
""",
    "theia_msgs/msg/SpatialTokens": """
uint8 DTYPE_FLOAT=2
uint8 DTYPE_BFLOAT=4
std_msgs/Header header
string encoder_id
uint32 height
uint32 width
uint32 channels
uint8 dtype
uint8[] data
float32 encode_ms
""",
    "theia_msgs/msg/TaskState": """
std_msgs/Header header
string task
string[] stages
bool[] reached
float64[] reached_at_s
float64 elapsed_s
int64 seed
string failure
string info_json
""",
}
