"""Text of the theia_msgs messages that a recording may hold, so that the library needs no ROS to write them.

The messages themselves live in ros2_ws/src/theia_msgs; a test compares their type hashes with these.
"""

DEFINITIONS = {
    "theia_msgs/msg/SpatialTokens": """
std_msgs/Header header
string encoder_id
uint32 height
uint32 width
uint32 channels
uint8 dtype
uint8[] data
float32 encode_ms
""",
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
std_msgs/Header header
string episode_id
string event
string detail
""",
}
