"""`theia episodes trim|relabel|delete|undo|merge|split`: nothing that was recorded is ever destroyed."""

import argparse
import json
from pathlib import Path
from typing import Any

from theia_core.commands.episode_tools.action import AddAction
from theia_core.errors import TheiaError

_ANSWERS = {"yes": True, "no": False}
_IDLE_MARGIN_S = 0.4


def configure(action: AddAction) -> None:
    """Declare the actions."""
    trimming = action("trim", _trim, "keep a part of an episode; the original goes to .trash")
    trimming.add_argument("episode", type=Path, help="an .mcap file")
    trimming.add_argument(
        "--from", dest="from_s", type=float, metavar="S", help="seconds after its start (0)"
    )
    trimming.add_argument("--to", dest="to_s", type=float, metavar="S", help="likewise (its end)")
    trimming.add_argument(
        "--idle", action="store_true", help="cut off both ends in which neither arm nor gripper moves"
    )
    trimming.add_argument("--out", type=Path, metavar="FILE", help="write a new episode instead")
    labelling = action("relabel", _relabel, "change an episode's labels; the original goes to .trash")
    labelling.add_argument("episode", type=Path, help="an .mcap file")
    labelling.add_argument("--success", choices=tuple(_ANSWERS), help="whether it succeeded")
    labelling.add_argument(
        "--stage", action="append", default=[], metavar="NAME=yes|no", help="whether a stage was reached"
    )
    labelling.add_argument("--operator", help="who demonstrated")
    labelling.add_argument("--note", help="anything worth knowing")
    labelling.add_argument(
        "--set", action="append", default=[], metavar="LABEL=JSON", help="any other label; empty removes it"
    )
    labelling.add_argument("--out", type=Path, metavar="FILE", help="write a new episode instead")
    deleting = action("delete", _delete, "put episodes into the folder .trash beside them")
    deleting.add_argument("episodes", type=Path, nargs="+", metavar="EPISODE", help="an .mcap file")
    undoing = action("undo", _undo, "take back what was deleted, trimmed or relabelled last")
    undoing.add_argument("folder", type=Path, help="folder of the episodes")
    merging = action("merge", _merge, "put the episodes of several folders into a new one, each once")
    merging.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="folders of episodes")
    merging.add_argument("--out", type=Path, required=True, help="the new folder")
    splitting = action("split", _split, "put a folder's episodes into OUT/train and OUT/validation")
    splitting.add_argument("folder", type=Path, help="folder of episodes")
    splitting.add_argument("--validation", type=float, default=0.1, help="share for validation (0.1)")
    splitting.add_argument("--seed", type=int, default=0, help="another one draws another set (0)")
    splitting.add_argument("--out", type=Path, required=True, help="the new folder")


def _trim(arguments: argparse.Namespace) -> int:
    from theia_core.episodes import load_episode
    from theia_core.episodes.edit import trim

    from_s, to_s = arguments.from_s, arguments.to_s
    if arguments.idle == (from_s is not None or to_s is not None):
        raise TheiaError("say what to keep: --from and --to, or --idle")
    duration_s = load_episode(arguments.episode).duration_s
    if arguments.idle:
        from_s, to_s = _busy_part(arguments.episode)
        if from_s <= 0 and to_s >= duration_s:
            print(f"{arguments.episode} begins and ends with motion; nothing to cut off")
            return 0
    from_s, to_s = from_s or 0.0, duration_s if to_s is None else to_s
    path = trim(arguments.episode, from_s, to_s, arguments.out)
    print(f"{path}: {from_s:.2f} to {min(to_s, duration_s):.2f} s of {duration_s:.2f} s")
    _say_how_to_undo(arguments)
    return 0


def _busy_part(path: Path) -> tuple[float, float]:
    from theia_core.episodes import load_episode, resample
    from theia_core.episodes.quality import idle_ends

    episode = load_episode(path)
    steps = resample(episode)
    before, after = idle_ends(steps.actions)
    if before == len(steps):
        raise TheiaError(f"nothing moves in {path}; delete it")
    first_s = steps.stamps_s[before] - episode.start_s - _IDLE_MARGIN_S
    last_s = steps.stamps_s[len(steps) - 1 - after] - episode.start_s + _IDLE_MARGIN_S
    end_s = episode.duration_s if after == 0 else min(last_s, episode.duration_s)
    return (max(first_s, 0.0) if before else 0.0), end_s


def _relabel(arguments: argparse.Namespace) -> int:
    from theia_core.episodes import load_episode
    from theia_core.episodes.edit import relabel

    labels: dict[str, Any] = {}
    if arguments.success:
        labels["success"] = _ANSWERS[arguments.success]
    if arguments.stage:
        stages = dict(load_episode(arguments.episode).metadata.get("stages", {}))
        for text in arguments.stage:
            name, _, answer = text.partition("=")
            if answer not in _ANSWERS:
                raise TheiaError(f"--stage {text!r}: give NAME=yes or NAME=no")
            stages[name] = _ANSWERS[answer]
        labels["stages"] = stages
    labels |= {name: value for name in ("operator", "note") if (value := getattr(arguments, name))}
    for text in arguments.set:
        name, equals, value = text.partition("=")
        if not equals:
            raise TheiaError(f"--set {text!r} has no '='; give LABEL=VALUE")
        try:
            labels[name] = json.loads(value) if value else None
        except ValueError:
            labels[name] = value
    if not labels:
        raise TheiaError("say what to change: --success, --stage, --operator, --note or --set")
    path = relabel(arguments.episode, labels, arguments.out)
    print(f"{path}: {', '.join(f'{name} {json.dumps(value)}' for name, value in labels.items())}")
    _say_how_to_undo(arguments)
    return 0


def _say_how_to_undo(arguments: argparse.Namespace) -> None:
    if arguments.out is None:
        print(f"the original is kept; to bring it back: theia episodes undo {arguments.episode.parent}")


def _delete(arguments: argparse.Namespace) -> int:
    from theia_core.episodes.trash import put_aside

    moved = put_aside(arguments.episodes)
    folder = arguments.episodes[0].parent
    print(f"moved {len(moved)} episodes to {moved[0].parent}")
    print(f"to bring them back: theia episodes undo {folder}")
    return 0


def _undo(arguments: argparse.Namespace) -> int:
    from theia_core.episodes.trash import undo_last

    for path in undo_last(arguments.folder):
        print(f"brought back {path}")
    return 0


def _merge(arguments: argparse.Namespace) -> int:
    from theia_core.episodes.collection import merge

    made, twice = merge(arguments.folders, arguments.out)
    left_out = f", {twice} left out that are there already" if twice else ""
    print(f"{len(made)} episodes in {arguments.out}{left_out}")
    return 0


def _split(arguments: argparse.Namespace) -> int:
    from theia_core.episodes.collection import split

    training, validation = split(arguments.folder, arguments.validation, arguments.seed, arguments.out)
    print(
        f"{len(training)} episodes in {arguments.out}/train, {len(validation)} in {arguments.out}/validation"
    )
    return 0
