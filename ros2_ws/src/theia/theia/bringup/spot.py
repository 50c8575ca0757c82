"""Spot and its bridge: scripted demonstrations of the drawer, unattended, in simulation and on a robot.

`mode:=collect`: walk to a random start by the fiducial, open, shut, again; `mode:=wait` only brings up.
"""

from theia.bringup.description import Argument, Bringup, NodeEntry, Role, Unless, Use, When
from theia.topics import IMAGE

# Where theia_sim's spot_sim leaves certificate and login by default.
_SIM_FOLDER = "~/.theia/spot_sim"
_CAMERA = {IMAGE: Use("camera_topic")}
_SIM, _REAL = When("spot", "sim"), Unless("spot", "sim")
_COLLECT = When("mode", "collect")

_BRIDGE = {"robot": "spot_arm", "task": "drawer", "image_source": Use("image_source")}

SPOT_DRAWER = Bringup(
    name="spot_drawer",
    description="Spot with its arm opens the top drawer of a cabinet",
    arguments=(
        Argument("spot", "sim", "sim starts the simulated Spot; else the name or address of the robot"),
        Argument(
            "mode",
            "collect",
            "collect: scripted demonstrations, unattended; wait: bring everything up for your own orders",
            ("collect", "wait"),
        ),
        Argument("episodes", "50", "mode:=collect: demonstrations to have in the folder", type=int),
        Argument("first_seed", "0", "mode:=collect: first training seed", type=int),
        Argument("output", "data/drawer_spot", "folder of the episodes"),
        Argument("image_source", "frontleft_fisheye_image", "camera of the robot that the policy sees"),
        Argument("camera_topic", IMAGE, "topic of the upright camera image, rgb8 640x480"),
        Argument("certificate", "", "spot:=HOSTNAME: the robot's certificate; empty for bosdyn-client's own"),
        Argument(
            "credentials_file",
            "",
            "spot:=HOSTNAME: JSON file with username and password that only you can read; empty for the "
            "environment's BOSDYN_CLIENT_USERNAME and BOSDYN_CLIENT_PASSWORD",
        ),
    ),
    nodes=(
        NodeEntry(
            package="theia_sim",
            executable="spot_sim",
            name="spot_sim",
            parameters={"task": "drawer", "folder": _SIM_FOLDER},
            conditions=(_SIM,),
        ),
        NodeEntry(
            package="theia",
            executable="spot_bridge",
            name="spot_bridge",
            parameters={
                "hostname": "127.0.0.1",
                "port": 8443,
                "certificate": f"{_SIM_FOLDER}/robot.crt",
                "credentials_file": f"{_SIM_FOLDER}/credentials.json",
                **_BRIDGE,
            },
            remappings=_CAMERA,
            conditions=(_SIM,),
        ),
        NodeEntry(
            package="theia",
            executable="spot_bridge",
            name="spot_bridge",
            parameters={
                "hostname": Use("spot"),
                "certificate": Use("certificate"),
                "credentials_file": Use("credentials_file"),
                **_BRIDGE,
            },
            remappings=_CAMERA,
            conditions=(_REAL,),
        ),
        NodeEntry(
            package="theia",
            executable="lifecycle_manager",
            name="lifecycle_manager",
            parameters={"nodes": ("spot_bridge",)},
        ),
        NodeEntry(
            package="theia",
            executable="recorder",
            name="recorder",
            parameters={"folder": Use("output"), "robot": "spot_arm", "joints_hz": 15.0},
            remappings=_CAMERA,
            conditions=(_COLLECT,),
        ),
        NodeEntry(
            package="theia",
            executable="spot_collector",
            name="spot_collector",
            parameters={
                "episodes": Use("episodes"),
                "first_seed": Use("first_seed"),
                "folder": Use("output"),
                "robot": Use("spot"),
            },
            conditions=(_COLLECT,),
            role=Role.RESULT,
        ),
    ),
)
