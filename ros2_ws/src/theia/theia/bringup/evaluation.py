"""Evaluations of one to three policies of the WidowX 250s, interleaved; on the robot with an operator.

Every policy has an encoder and a policy process of its own. All are configured at the start; the evaluator
activates those whose turn it is, and no others, so that one encoder runs and one policy talks at a time.
"""

from theia.bringup import widowx_nodes as nodes
from theia.bringup.description import Argument, Bringup, HasItem, NodeEntry, Role, Use, UseItem

MOST_POLICIES = 3
TASKS = ("door", "pick_place", "microwave")


def _contestant(place: int) -> tuple[NodeEntry, NodeEntry]:
    policy, there = UseItem("policies", place), (HasItem("policies", place),)
    return (
        nodes.encoder(f"encoder_{place}", "auto", policy, there),
        nodes.bc_policy(f"bc_policy_{place}", policy, there),
    )


EVALUATION = Bringup(
    name="evaluate",
    description="Trials of one to three policies on the same scenes, taking turns",
    arguments=(
        Argument("task", "door", "task whose protocol is tried", TASKS),
        Argument("policies", "door", f"shipped names or folders of 1 to {MOST_POLICIES} policies, as in a,b"),
        nodes.ROBOT,
        nodes.EXECUTION,
        nodes.RUNTIME,
        nodes.THREADS,
        Argument("scenes", "0", "scenes that each policy tries; 0: the complete protocol", type=int),
        nodes.SEED,
        Argument("resume", "", "folder of an evaluation to go on with; its plan decides what is tried"),
        Argument("stop_early", "false", "two policies: stop once they differ", ("false", "true"), bool),
        Argument("record", "true", "record every trial as an episode", ("true", "false"), bool),
        Argument("output", "runs/evaluate", "folder for ledgers, videos, pictures and episodes"),
        Argument("ghosts", "runs/ghosts", "folder of the wanted start scenes, robot:=real only"),
        Argument("host", "127.0.0.1", "address of the operator's page, robot:=real only"),
        Argument("port", "8642", "port of the operator's page, robot:=real only; 0: any", type=int),
        nodes.HEADLESS,
        nodes.CAMERA_TOPIC,
    ),
    nodes=(
        nodes.simulator(Use("task")),
        nodes.guard(Use("task")),
        *(node for place in range(MOST_POLICIES) for node in _contestant(place)),
        nodes.lifecycle_manager(("widowx_guard",)),
        nodes.recorder(),
        NodeEntry(
            package="theia",
            executable="evaluator",
            name="evaluator",
            parameters={
                "task": Use("task"),
                "policies": Use("policies"),
                "robot": Use("robot"),
                "trials": Use("scenes"),
                "seed": Use("seed"),
                "resume": Use("resume"),
                "stop_early": Use("stop_early"),
                "record": Use("record"),
                "output": Use("output"),
                "ghosts": Use("ghosts"),
                "host": Use("host"),
                "port": Use("port"),
            },
            remappings=nodes.CAMERA,
            role=Role.RESULT,
        ),
    ),
)
