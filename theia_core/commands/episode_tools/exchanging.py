"""`theia episodes export|import`: other people's training code and other people's recordings."""

import argparse
from pathlib import Path

from theia_core.commands.episode_tools.action import AddAction
from theia_core.errors import TheiaError

_IMPORT_EPILOG = """The topic map says where in the recording what is, for example:

{example}"""


def configure(action: AddAction) -> None:
    """Declare the actions."""
    from theia_core.episodes.foreign import DISTROS
    from theia_core.episodes.topic_map import EXAMPLE

    exporting = action("export", _export, "write episodes as a LeRobotDataset v3 or as robomimic's HDF5")
    exporting.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="folders of episodes, episodes"
    )
    exporting.add_argument("--to", choices=("lerobot", "robomimic"), required=True, help="format")
    exporting.add_argument("--out", type=Path, required=True, help="new folder (lerobot), .hdf5 (robomimic)")
    exporting.add_argument("--rate-hz", type=float, default=5.0, help="control rate (5)")
    exporting.add_argument(
        "--size", metavar="WxH", help="size of the frames (lerobot: as recorded, robomimic: 224x224)"
    )
    exporting.add_argument(
        "--failures", action="store_true", help="also export episodes that are labelled as failures"
    )
    exporting.add_argument(
        "--validation", type=Path, metavar="FOLDER", help="robomimic: episodes of the mask `valid`"
    )
    importing = action("import", _import, "take rosbag2 recordings (sqlite3 or MCAP) as episodes")
    importing.epilog = _IMPORT_EPILOG.format(example=EXAMPLE)
    importing.add_argument("bags", type=Path, nargs="+", metavar="BAG", help="rosbag2 folders or .mcap files")
    importing.add_argument("--map", type=Path, required=True, metavar="YAML", help="the topic map")
    importing.add_argument("--out", type=Path, required=True, help="folder of the episodes")
    importing.add_argument("--robot", default="wx250s", help="robot profile (wx250s)")
    importing.add_argument(
        "--distro",
        choices=tuple(DISTROS),
        default="humble",
        help="whose message definitions apply if the bag brings none (humble)",
    )


def _export(arguments: argparse.Namespace) -> int:
    from theia_core.episodes import find_episodes
    from theia_core.episodes.exports.lerobot import export_lerobot
    from theia_core.episodes.exports.robomimic import export_robomimic
    from theia_core.episodes.exports.steps import chosen

    paths = chosen(arguments.paths, arguments.failures)
    size = _size(arguments.size)
    if arguments.to == "lerobot":
        if arguments.validation:
            raise TheiaError("--validation is robomimic's; export two datasets, from theia episodes split")
        count = export_lerobot(paths, arguments.out, rate_hz=arguments.rate_hz, size=size)
    else:
        validation = find_episodes(arguments.validation) if arguments.validation else []
        count = export_robomimic(
            [*paths, *(path for path in validation if path not in paths)],
            arguments.out,
            rate_hz=arguments.rate_hz,
            size=size or (224, 224),
            validation=validation,
        )
    print(f"{arguments.out}: {count} steps of {len(paths)} episodes at {arguments.rate_hz:g} Hz")
    return 0


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise TheiaError(f"--size {text!r} is no size; give WIDTHxHEIGHT such as 320x240")
    return int(width), int(height)


def _import(arguments: argparse.Namespace) -> int:
    from theia_core.actions.kinematics import ArmKinematics
    from theia_core.actions.profile import load_profile
    from theia_core.episodes.foreign import import_bag
    from theia_core.episodes.topic_map import read_topic_map

    topics = read_topic_map(arguments.map)
    profile = load_profile(arguments.robot)
    kinematics = ArmKinematics(profile)
    closed_m, open_m = map(float, profile.finger_range_m)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for bag in arguments.bags:
        name = bag.stem if bag.is_file() else bag.resolve().name
        done = import_bag(
            bag,
            topics,
            arguments.out / f"{name}.mcap",
            kinematics.fk,
            (closed_m, open_m),
            arguments.distro,
        )
        print(f"{done.path}: {done.frames} frames, {done.joint_states} joint states, {done.actions} actions")
    print(f"check them: theia episodes check {arguments.out}")
    return 0
