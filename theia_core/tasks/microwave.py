"""Toy-microwave cooking: food from a pot into the microwave, then its door is closed (paper section 4.3).

Which foods there are is a choice of this simulation; the paper says how many (section D.3).
"""

from theia_core.tasks.protocol import Group, Protocol
from theia_core.tasks.task import Camera, Task, TrainingChoice

SEEN_FOODS = (
    "carrot",
    "tomato",
    "egg",
    "banana",
    "aubergine",
    "mushroom",
    "sausage",
    "cheese",
    "pea_pod",
    "toast",
)
UNSEEN_FOODS = ("broccoli", "doughnut", "maki", "cupcake", "fish")

# Criteria of the stages; the paper names the stages, not their criteria.
LIFTED_M = 0.015  # of the food's middle over the pot's rim
SETTLED_S = 0.2  # a stage's last criterion must hold this long
CLOSED_RAD = 0.06  # 3.4 degrees: the door's edge is 12 mm from the frame
PUSHED_SHARE = 0.7  # of the way to closed, with the hand at the door

MICROWAVE = Task(
    id="microwave",
    title="Toy-Microwave Cooking",
    instruction="Put the food from the pot into the microwave and close its door.",
    robot="wx250s",
    action_space="ee_delta",
    chunk_horizon=10,
    cameras=(Camera("policy", "/camera/image_raw", 640, 480, 10.0),),
    protocol=Protocol(
        task_id="microwave",
        axes={"food": SEEN_FOODS + UNSEEN_FOODS},
        repetitions=4,
        stages={
            "pick": f"both pads hold the food {LIFTED_M} m over the pot's rim, and nothing else touches it",
            "place": "carried in by the grip, the food lies in the microwave, and the hand has let it go",
            "close_door": f"with the food inside, the door is within {CLOSED_RAD} rad of closed, "
            f"{PUSHED_SHARE:.0%} of the way with the hand at it",
        },
        horizon_steps=180,
        control_rate_hz=5.0,
        groups={"seen": Group("food", SEEN_FOODS, 4), "unseen": Group("food", UNSEEN_FOODS, 2)},
    ),
    training={"food": TrainingChoice(SEEN_FOODS)},
    paper={"pick": (29, 50), "place": (26, 50), "close_door": (20, 50)},
    demonstrations=100,
    reset=(
        "Empty the microwave and open its door to a right angle.",
        "Lay the food shown into the pot, and the pot on the stove where the picture shows it.",
        "Put all other food out of the camera's view.",
    ),
)
