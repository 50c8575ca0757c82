"""Spot and the drawer: camera -> encoder -> diffusion policy -> bridge -> Spot, and scripted demonstrations.

`mode:=collect` walks to a random start by the fiducial, opens, records, shuts, again, on a robot too;
`mode:=evaluate` runs trials of a policy, scored on the simulated Spot; `mode:=wait` only brings the robot up.
"""

from theia.bringup.description import Argument, Bringup, NodeEntry, Role, Unless, Use, When
from theia.topics import IMAGE, SPOT_BRIDGE

# Where theia_sim's spot_sim leaves certificate and login by default.
_SIM_FOLDER = "~/.theia/spot_sim"
_CAMERA = {IMAGE: Use("camera_topic")}
_SIM, _REAL = When("spot", "sim"), Unless("spot", "sim")
_COLLECT, _EVALUATE = When("mode", "collect"), When("mode", "evaluate")
_ORDERS = ("take_lease", "power_on", "stand", "home")

_BRIDGE = {"robot": "spot_arm", "task": "drawer", "image_source": Use("image_source")}

SPOT_DRAWER = Bringup(
    name="spot_drawer",
    description="Spot with its arm opens the top drawer of a cabinet",
    arguments=(
        Argument("spot", "sim", "sim starts the simulated Spot; else the name or address of the robot"),
        Argument(
            "mode",
            "collect",
            "collect: scripted demonstrations, unattended; evaluate: a policy acts, and trials are scored on "
            "the simulated Spot; wait: bring up the robot's side for your own orders",
            ("collect", "evaluate", "wait"),
        ),
        Argument("episodes", "50", "mode:=collect: demonstrations to have in the folder", type=int),
        Argument("first_seed", "0", "mode:=collect: first training seed", type=int),
        Argument("policy", "drawer", "shipped name or folder of the policy"),
        Argument(
            "encoder",
            "auto",
            "shipped name or folder of the encoder; auto: the one the policy was trained with",
        ),
        Argument(
            "execution",
            "receding",
            "how predictions are executed: receding:STEPS, receding (the policy's own number) or ensemble:M, "
            "with or without ,no-latency-compensation",
        ),
        Argument(
            "denoising_steps", "0", "DDIM steps of a prediction; 0 for the policy's own number", type=int
        ),
        Argument("runtime", "auto", "what runs the encoder", ("auto", "onnxruntime", "torch")),
        Argument("threads", "2", "CPU threads of the encoder", type=int),
        Argument(
            "trials",
            "5",
            "mode:=evaluate: trials to run and score, spot:=sim only; 0 brings everything up and waits",
            type=int,
        ),
        Argument("seed", "1000", "mode:=evaluate: evaluation seed", type=int),
        Argument("record", "false", "mode:=evaluate: record every trial", ("false", "true"), bool),
        Argument("output", "data/drawer_spot", "folder of episodes, ledger, video and picture"),
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
            executable="encoder",
            name="encoder",
            parameters={
                "encoder": Use("encoder"),
                "policy": Use("policy"),
                "runtime": Use("runtime"),
                "threads": Use("threads"),
            },
            remappings=_CAMERA,
            conditions=(_EVALUATE,),
        ),
        NodeEntry(
            package="theia",
            executable="diffusion_policy",
            name="diffusion_policy",
            parameters={
                "policy": Use("policy"),
                "execution": Use("execution"),
                "denoising_steps": Use("denoising_steps"),
                "max_frame_age_s": 0.6,  # pictures come over the robot's network
            },
            conditions=(_EVALUATE,),
        ),
        NodeEntry(
            package="theia",
            executable="lifecycle_manager",
            name="lifecycle_manager",
            parameters={"nodes": ("spot_bridge", "encoder", "diffusion_policy")},
            conditions=(_EVALUATE,),
        ),
        NodeEntry(
            package="theia",
            executable="lifecycle_manager",
            name="lifecycle_manager",
            parameters={"nodes": ("spot_bridge",)},
            conditions=(Unless("mode", "evaluate"),),
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
            executable="recorder",
            name="recorder",
            parameters={"folder": Use("output"), "robot": "spot_arm", "joints_hz": 15.0},
            remappings=_CAMERA,
            conditions=(_EVALUATE, When("record", "true")),
        ),
        NodeEntry(
            package="theia",
            executable="evaluator",
            name="evaluator",
            parameters={
                "task": "drawer",
                "trials": Use("trials"),
                "seed": Use("seed"),
                "output": Use("output"),
                "record": Use("record"),
                "guard": SPOT_BRIDGE,
                "orders": _ORDERS,
            },
            remappings=_CAMERA,
            conditions=(_SIM, _EVALUATE, Unless("trials", "0")),
            role=Role.RESULT,
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
