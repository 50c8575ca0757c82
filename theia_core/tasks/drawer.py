"""Drawer opening: Spot opens the top drawer of a cabinet (paper section 4.3; protocol of section D.3)."""

from theia_core.tasks.protocol import Protocol
from theia_core.tasks.task import Camera, Task, TrainingRange

OPEN_M = 0.10  # the paper's criterion
HELD_SHARE = 0.7  # of the way must have been gained with the bar in the grip

# Where Spot starts, against its nominal place before the drawer. The paper draws 20 starts from these ranges;
# here the trials are a grid of 20 within them, which no demonstration comes near.
START_RANGE_M, START_RANGE_RAD = 0.05, 0.20
X_M = (-0.035, 0.035)
Y_M = (-0.035, 0.035)
YAW_RAD = (-0.16, -0.08, 0.0, 0.08, 0.16)

DRAWER = Task(
    id="drawer",
    title="Drawer Opening",
    instruction="Open the top drawer of the cabinet.",
    robot="spot_arm",
    action_space="ee_pose",
    chunk_horizon=4,
    cameras=(Camera("policy", "/camera/image_raw", 640, 480, 10.0),),
    protocol=Protocol(
        task_id="drawer",
        axes={"start_x_m": X_M, "start_y_m": Y_M, "start_yaw_rad": YAW_RAD},
        repetitions=1,
        stages={"open": f"the drawer is out {OPEN_M} m, {HELD_SHARE:.0%} of it with the handle in the grip"},
        horizon_steps=80,
        control_rate_hz=5.0,
    ),
    training={
        "start_x_m": TrainingRange(-START_RANGE_M, START_RANGE_M, keep_away=0.010),
        "start_y_m": TrainingRange(-START_RANGE_M, START_RANGE_M, keep_away=0.010),
        "start_yaw_rad": TrainingRange(-START_RANGE_RAD, START_RANGE_RAD, keep_away=0.015),
    },
    paper={"open": (17, 20)},
    demonstrations=50,
    paper_finetuned={"open": (20, 20)},
    reset=(
        "Push the top drawer shut.",
        "Let the reset script walk Spot to the start shown, by the fiducial.",
        "Clear the floor between Spot and the cabinet.",
    ),
    policy_kind="diffusion",
)
