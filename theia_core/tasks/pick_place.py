"""Pick-and-place: a pink cup from a toy sink into the drying rack on its left (paper section 4.3)."""

from theia_core.tasks.protocol import Protocol
from theia_core.tasks.task import Camera, Task, TrainingArea, TrainingChoice

# Places of the cup's middle against the sink's [m], x away from the robot and y to the left. The paper has
# eight on the perimeter and two in the centre (section D.3), not where exactly.
_X_M, _Y_M, _CENTRE_Y_M = 0.055, 0.062, 0.026
CUP_PLACES_M = {
    "front_left": (-_X_M, _Y_M),
    "front": (-_X_M, 0.0),
    "front_right": (-_X_M, -_Y_M),
    "right": (0.0, -_Y_M),
    "back_right": (_X_M, -_Y_M),
    "back": (_X_M, 0.0),
    "back_left": (_X_M, _Y_M),
    "left": (0.0, _Y_M),
    "centre_left": (0.0, _CENTRE_Y_M),
    "centre_right": (0.0, -_CENTRE_Y_M),
}
HANDLES = ("left", "right")
# Demonstrations reach 3 mm beyond the outer places.
CUP_AREA = TrainingArea(
    (-_X_M - 0.003, -_Y_M - 0.003), (_X_M + 0.003, _Y_M + 0.003), CUP_PLACES_M, keep_away_m=0.004
)

# Criteria of the stages; the paper names the stages, not their criteria.
LIFTED_M = 0.02  # of the cup's foot over the worktop
UPRIGHT_RAD = 0.5
SETTLED_S = 0.2  # a stage's last criterion must hold this long

PICK_PLACE = Task(
    id="pick_place",
    title="Pick-and-Place",
    instruction="Put the pink cup from the sink into the drying rack.",
    robot="wx250s",
    action_space="ee_delta",
    chunk_horizon=5,
    cameras=(Camera("policy", "/camera/image_raw", 640, 480, 10.0),),
    protocol=Protocol(
        task_id="pick_place",
        axes={"cup_place": tuple(CUP_PLACES_M), "handle": HANDLES},
        repetitions=1,
        stages={
            "pick": f"both pads hold the cup {LIFTED_M} m over the worktop, and nothing else touches it",
            "place": "carried there by the grip, the cup stands in the rack and the hand has let it go",
        },
        horizon_steps=120,
        control_rate_hz=5.0,
    ),
    training={
        "cup_place": CUP_AREA,
        "handle": TrainingChoice(HANDLES),
    },
    paper={"pick": (17, 20), "place": (15, 20)},
    demonstrations=48,
    reset=(
        "Empty the drying rack.",
        "Stand the pink cup upright in the sink at the place shown, its handle to the side shown.",
        "Nothing else may lie in the sink.",
    ),
)
