"""Door opening: the WidowX opens a toy fridge (paper section 4.3; protocol of section D.3)."""

from theia_core.tasks.protocol import Protocol
from theia_core.tasks.task import Camera, Task, TrainingRange

# Where along the kitchen the arm's base stands, relative to the middle [m]; the paper gives five, not which.
X_POSITIONS_M = (-0.06, -0.03, 0.0, 0.03, 0.06)
BASE_HEIGHTS_M = (0.40, 0.42, 0.43, 0.44, 0.46)

# Demonstrations reach beyond the protocol's outermost places: a policy is worst at the edge of what it was
# shown (43 of 60 trials at outer places where the range ended, 86 of 90 at inner ones).

# Door angles of the two stages; the paper names the stages, not the angles.
OPEN_RAD = 0.35  # 20 degrees: the door has left its frame
FULLY_OPEN_RAD = 1.2  # 69 degrees: a hand can reach in

DOOR = Task(
    id="door",
    title="Door Opening",
    instruction="Open the door of the toy fridge.",
    robot="wx250s",
    action_space="ee_delta",
    chunk_horizon=10,
    cameras=(Camera("policy", "/camera/image_raw", 640, 480, 10.0),),
    protocol=Protocol(
        task_id="door",
        axes={"base_height_m": BASE_HEIGHTS_M, "x_position_m": X_POSITIONS_M},
        repetitions=2,
        stages={
            "open": f"the door passes {OPEN_RAD} rad, 70 % of it with the handle in the grip",
            "fully_open": f"the door passes {FULLY_OPEN_RAD} rad, 70 % of it with the handle in the grip",
        },
        horizon_steps=120,
        control_rate_hz=5.0,
    ),
    training={
        "base_height_m": TrainingRange(0.39, 0.47, keep_away=0.001),
        "x_position_m": TrainingRange(-0.085, 0.085, keep_away=0.002),
    },
    paper={"open": (46, 50), "fully_open": (33, 50)},
    demonstrations=63,
    reset=(
        "Close the fridge's door until it rests in its frame.",
        "Set the height of the arm's base and its place along the kitchen as shown.",
        "Clear the table; nothing else may stand within the arm's reach.",
    ),
)
