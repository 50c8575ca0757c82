"""The processes of the WidowX's bring-ups, each with the arguments that decide its parameters."""

from theia.bringup.description import Argument, Condition, NodeEntry, Use, Value, When
from theia.topics import IMAGE
from theia_core.encoders.registry import RUNTIMES

CAMERA = {IMAGE: Use("camera_topic")}

ROBOT = Argument(
    "robot",
    "sim",
    "sim starts the simulated arm and camera; real expects xs_sdk and a camera",
    ("sim", "real"),
)
EXECUTION = Argument(
    "execution",
    "receding",
    "how predictions are executed: receding:STEPS, receding (the policy's own number) or "
    "ensemble:M, with or without ,no-latency-compensation",
)
RUNTIME = Argument(
    "runtime",
    "auto",
    "what runs the encoder; auto measures what is there and remembers the fastest",
    RUNTIMES,
)
THREADS = Argument("threads", "2", "CPU threads of the encoder", type=int)
SEED = Argument("seed", "1000", "evaluation seed: order and randomisation of the trials", type=int)
HEADLESS = Argument("headless", "true", "false opens a window on the simulation", ("true", "false"), bool)
CAMERA_TOPIC = Argument("camera_topic", IMAGE, "topic of the raw camera image, rgb8 640x480")


def simulator(task: Value) -> NodeEntry:
    """The simulated arm and camera, with robot:=sim only."""
    return NodeEntry(
        package="theia_sim",
        executable="widowx_sim",
        name="widowx_sim",
        parameters={"task": task, "headless": Use("headless")},
        remappings=CAMERA,
        conditions=(When("robot", "sim"),),
    )


def guard(task: Value) -> NodeEntry:
    """The guard, the arm's only publisher."""
    return NodeEntry(
        package="theia",
        executable="widowx_guard",
        name="widowx_guard",
        parameters={"robot": "wx250s", "task": task},
    )


def encoder(name: str, encoder: Value, policy: Value, conditions: tuple[Condition, ...] = ()) -> NodeEntry:
    """An encoder; with the encoder "auto" the one that `policy` was trained with."""
    return NodeEntry(
        package="theia",
        executable="encoder",
        name=name,
        parameters={
            "encoder": encoder,
            "policy": policy,
            "runtime": Use("runtime"),
            "threads": Use("threads"),
        },
        remappings=CAMERA,
        conditions=conditions,
    )


def bc_policy(name: str, policy: Value, conditions: tuple[Condition, ...] = ()) -> NodeEntry:
    """A behaviour-cloning policy."""
    return NodeEntry(
        package="theia",
        executable="bc_policy",
        name=name,
        parameters={"policy": policy, "robot": "wx250s", "execution": Use("execution")},
        conditions=conditions,
    )


def lifecycle_manager(nodes: tuple[str, ...]) -> NodeEntry:
    """What brings `nodes` up in this order and watches them."""
    return NodeEntry(
        package="theia",
        executable="lifecycle_manager",
        name="lifecycle_manager",
        parameters={"nodes": nodes},
    )


def recorder() -> NodeEntry:
    """The recorder, with record:=true only."""
    return NodeEntry(
        package="theia",
        executable="recorder",
        name="recorder",
        parameters={"folder": Use("output")},
        remappings=CAMERA,
        conditions=(When("record", "true"),),
    )
