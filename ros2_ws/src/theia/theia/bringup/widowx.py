"""The three tasks of the WidowX 250s: camera -> encoder -> policy -> guard -> arm, and their evaluation.

One description; the tasks differ in their name and in the sentence that says what the arm does.
"""

from theia.bringup.description import Argument, Bringup, NodeEntry, Role, Unless, Use, When
from theia.topics import IMAGE
from theia_core.encoders.registry import RUNTIMES

_LIFECYCLE_ORDER = ("widowx_guard", "encoder", "bc_policy")
_CAMERA = {IMAGE: Use("camera_topic")}


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
            Argument(
                "robot",
                "sim",
                "sim starts the simulated arm and camera; real expects xs_sdk and a camera",
                ("sim", "real"),
            ),
            Argument("policy", task, "shipped name or folder of the policy"),
            Argument(
                "encoder",
                "auto",
                "shipped name or folder of the encoder; auto: the one the policy was trained with",
            ),
            Argument(
                "execution",
                "receding",
                "how predictions are executed: receding:STEPS, receding (the policy's own number) or "
                "ensemble:M, with or without ,no-latency-compensation",
            ),
            Argument(
                "runtime",
                "auto",
                "what runs the encoder; auto measures what is there and remembers the fastest",
                RUNTIMES,
            ),
            Argument("threads", "2", "CPU threads of the encoder", type=int),
            Argument(
                "trials",
                "5",
                "trials to run and score, robot:=sim only; 0 brings everything up and waits",
                type=int,
            ),
            Argument("seed", "1000", "evaluation seed: order and randomisation of the trials", type=int),
            Argument("record", "false", "record every trial as an episode", ("false", "true"), bool),
            Argument("output", f"runs/widowx_{task}", "folder for ledger, video, picture and episodes"),
            Argument("headless", "true", "false opens a window on the simulation", ("true", "false"), bool),
            Argument("camera_topic", IMAGE, "topic of the raw camera image, rgb8 640x480"),
        ),
        nodes=(
            NodeEntry(
                package="theia_sim",
                executable="widowx_sim",
                name="widowx_sim",
                parameters={"task": task, "headless": Use("headless")},
                remappings=_CAMERA,
                conditions=(When("robot", "sim"),),
            ),
            NodeEntry(
                package="theia",
                executable="widowx_guard",
                name="widowx_guard",
                parameters={"robot": "wx250s", "task": task},
            ),
            NodeEntry(
                package="theia",
                executable="encoder",
                name="encoder",
                parameters={
                    "encoder": Use("encoder"),
                    "policy": Use("policy"),
                    "runtime": Use("runtime"),
                    "threads": Use("threads"),
                },
                remappings=_CAMERA,
            ),
            NodeEntry(
                package="theia",
                executable="bc_policy",
                name="bc_policy",
                parameters={"policy": Use("policy"), "robot": "wx250s", "execution": Use("execution")},
            ),
            NodeEntry(
                package="theia",
                executable="lifecycle_manager",
                name="lifecycle_manager",
                parameters={"nodes": _LIFECYCLE_ORDER},
            ),
            NodeEntry(
                package="theia",
                executable="recorder",
                name="recorder",
                parameters={"folder": Use("output")},
                remappings=_CAMERA,
                conditions=(When("record", "true"),),
            ),
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
                remappings=_CAMERA,
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
