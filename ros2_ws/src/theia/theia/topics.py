"""Names of topics and services; a bring-up may remap any of them.

The recorded ones equal those of theia_core.episodes.topics (a test compares them), which a node that records
nothing should not have to import.
"""

IMAGE = "/camera/image_raw"
COMPRESSED_IMAGE = "/camera/image_raw/compressed"
HAND_STATE = "/spot/observed_state"
WALK_TO = "/spot/walk_to"
FIDUCIALS = "/spot/fiducials"
TOKENS = "/theia/tokens"
ACTION_CHUNK = "/theia/action_chunk"
EXECUTED_ACTION = "/theia/executed_action"
GUARD_STATE = "/theia/guard_state"
JOY = "/joy"
CARRIED_POSE = "/teleop/pose"
EPISODE_EVENT = "/theia/episode_event"
TASK_STATE = "/sim/task_state"
RESET_SCENE = "/sim/reset_scene"
GUARD = "/widowx_guard"
SPOT_BRIDGE = "/spot_bridge"
RECORD = "/recorder/record"
