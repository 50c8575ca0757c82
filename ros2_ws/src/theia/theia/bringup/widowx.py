"""The three tasks of the WidowX 250s: camera -> encoder -> policy -> guard -> arm, and their evaluation.

One description; the tasks differ in their name and in the sentence that says what the arm does.
"""

from theia.bringup import widowx_nodes as nodes
from theia.bringup.description import Argument, Bringup, NodeEntry, Role, Unless, Use, When

_LIFECYCLE_ORDER = ("widowx_guard", "encoder", "bc_policy")


def widowx_bringup(task: str, description: str) -> Bringup:
    """The bring-up `widowx_TASK`.

    Args:
        task: id of the task, which is also the name of its shipped policy.
        description: what the arm does, one sentence for people.
    """
    return Bringup(
        name=f"widowx_{task}",
        description=description,
        arguments=(
            nodes.ROBOT,
            Argument("policy", task, "shipped name or folder of the policy"),
            Argument(
                "encoder",
                "auto",
                "shipped name or folder of the encoder; auto: the one the policy was trained with",
            ),
            nodes.EXECUTION,
            nodes.RUNTIME,
            nodes.THREADS,
            Argument(
                "trials",
                "5",
                "trials to run and score, robot:=sim only; 0 brings everything up and waits",
                type=int,
            ),
            nodes.SEED,
            Argument("record", "false", "record every trial as an episode", ("false", "true"), bool),
            Argument("output", f"runs/widowx_{task}", "folder for ledger, video, picture and episodes"),
            nodes.HEADLESS,
            nodes.CAMERA_TOPIC,
        ),
        nodes=(
            nodes.simulator(task),
            nodes.guard(task),
            nodes.encoder("encoder", Use("encoder"), Use("policy")),
            nodes.bc_policy("bc_policy", Use("policy")),
            nodes.lifecycle_manager(_LIFECYCLE_ORDER),
            nodes.recorder(),
            NodeEntry(
                package="theia",
                executable="evaluator",
                name="evaluator",
                parameters={
                    "task": task,
                    "trials": Use("trials"),
                    "seed": Use("seed"),
                    "output": Use("output"),
                    "record": Use("record"),
                },
                remappings=nodes.CAMERA,
                conditions=(When("robot", "sim"), Unless("trials", "0")),
                role=Role.RESULT,
            ),
        ),
    )


WIDOWX_BRINGUPS = (
    widowx_bringup("door", "A WidowX 250s opens the door of a toy fridge"),
    widowx_bringup("pick_place", "A WidowX 250s moves a cup from a toy sink to the drying rack on its left"),
    widowx_bringup("microwave", "A WidowX 250s puts food from a pot into a toy microwave and shuts its door"),
)
