"""Demonstrations by teleoperation: controls -> teleop -> guard -> arm, and the recorder beside it."""

from theia.bringup.description import Argument, Bringup, NodeEntry, Role, Unless, Use, When
from theia.topics import IMAGE, JOY

_CAMERA = {IMAGE: Use("camera_topic")}
_CONTROLS = {JOY: Use("joy_topic")}

RECORD_BRINGUP = Bringup(
    name="record",
    description="An operator demonstrates a task on the WidowX 250s, and every take becomes an episode",
    arguments=(
        Argument(
            "task", "door", "workspace, scene and label of the takes", ("door", "pick_place", "microwave")
        ),
        Argument(
            "robot",
            "sim",
            "sim starts the simulated arm and camera; real expects xs_sdk and a camera",
            ("sim", "real"),
        ),
        Argument(
            "teleop",
            "joy",
            "joy expects a driver that publishes sensor_msgs/Joy (joy_node, spacenav_node, theia keyboard); "
            "synthetic demonstrates the door by itself, robot:=sim only",
            ("joy", "synthetic"),
        ),
        Argument(
            "controls", "gamepad", "what axes and buttons mean: gamepad, spacemouse, keyboard or a .yaml"
        ),
        Argument("leader", "", "namespace of a leader arm whose joint_states move the hand; empty for none"),
        Argument("operator", "", "who demonstrates: a label of the episodes"),
        Argument("notes", "", "anything worth knowing: a label of the episodes"),
        Argument("output", "data/teleop", "folder of the episodes"),
        Argument("images", "compressed", "which images to keep", ("compressed", "raw")),
        Argument("episodes", "10", "teleop:=synthetic: demonstrations to record", type=int),
        Argument("seed", "0", "first training seed: scene of the first demonstration", type=int),
        Argument("headless", "true", "false opens a window on the simulation", ("true", "false"), bool),
        Argument("camera_topic", IMAGE, "topic of the raw camera image, rgb8 640x480"),
        Argument("joy_topic", JOY, "topic of the controls"),
    ),
    nodes=(
        NodeEntry(
            package="theia_sim",
            executable="widowx_sim",
            name="widowx_sim",
            parameters={"task": Use("task"), "headless": Use("headless"), "seed": Use("seed")},
            remappings=_CAMERA,
            conditions=(When("robot", "sim"),),
        ),
        NodeEntry(
            package="theia",
            executable="widowx_guard",
            name="widowx_guard",
            parameters={"robot": "wx250s", "task": Use("task")},
        ),
        NodeEntry(
            package="theia",
            executable="lifecycle_manager",
            name="lifecycle_manager",
            parameters={"nodes": ("widowx_guard",)},
        ),
        NodeEntry(
            package="theia",
            executable="teleop",
            name="teleop",
            parameters={
                "robot": "wx250s",
                "controls": Use("controls"),
                "leader": Use("leader"),
                "task": Use("task"),
                "seed": Use("seed"),
            },
            remappings=_CONTROLS,
        ),
        NodeEntry(
            package="theia",
            executable="recorder",
            name="recorder",
            parameters={
                "folder": Use("output"),
                "task": Use("task"),
                "operator": Use("operator"),
                "notes": Use("notes"),
                "controls": Use("controls"),
                "images": Use("images"),
            },
            remappings={**_CAMERA, **_CONTROLS},
        ),
        NodeEntry(
            package="theia_sim",
            executable="synthetic_operator",
            name="synthetic_operator",
            parameters={
                "task": Use("task"),
                "episodes": Use("episodes"),
                "seed": Use("seed"),
                "controls": Use("controls"),
            },
            remappings=_CONTROLS,
            conditions=(When("robot", "sim"), Unless("teleop", "joy")),
            role=Role.RESULT,
        ),
    ),
)
