"""`theia episodes`: look at recorded episodes, check them, put bad ones away."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from theia_core.cli import Command
from theia_core.errors import TheiaError

EXAMPLES = """examples:
  theia episodes list data/door                      one line an episode
  theia episodes show data/door/door_000003.mcap     what is in it, and a filmstrip (PNG)
  theia episodes check data/door                     is it fit to learn from? exit code 1 if one is not
  theia episodes delete data/door/door_000003.mcap   into data/door/.trash
  theia episodes undo data/door                      brings back what was deleted last"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|check|delete|undo")

    def action(name: str, work: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
        sub.set_defaults(work=work)
        return sub

    listing = action("list", _list, "one line an episode")
    listing.add_argument("folder", type=Path, help="folder of the episodes")
    listing.add_argument(
        "--partial", action="store_true", help="list the recordings that were cut off instead"
    )
    listing.add_argument("--json", action="store_true", help="print the metadata as JSON")
    showing = action("show", _show, "what is in an episode, and a filmstrip of it")
    showing.add_argument("episode", type=Path, help="an .mcap file")
    showing.add_argument(
        "--partial", action="store_true", help="read a truncated or damaged file as far as it goes"
    )
    showing.add_argument("--out", type=Path, metavar="PNG", help="the filmstrip (EPISODE.png in this folder)")
    showing.add_argument(
        "--json", action="store_true", help="print metadata and topics as JSON; no filmstrip"
    )
    checking = action("check", _check, "whether episodes are fit to learn from; exit code 1 if one is not")
    checking.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="episodes, or folders of episodes"
    )
    checking.add_argument("--json", action="store_true", help="print the findings as JSON")
    deleting = action("delete", _delete, "put episodes into the folder .trash beside them")
    deleting.add_argument("episodes", type=Path, nargs="+", metavar="EPISODE", help="an .mcap file")
    undoing = action("undo", _undo, "bring back what was deleted last")
    undoing.add_argument("folder", type=Path, help="folder that the episodes were deleted from")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    return arguments.work(arguments)


def _list(arguments: argparse.Namespace) -> int:
    from theia_core.episodes import find_episodes, load_episode

    paths = find_episodes(arguments.folder, partial=arguments.partial)
    if not paths:
        remedy = f"record some with: theia collect door --out {arguments.folder}"
        raise TheiaError(f"no episodes in {arguments.folder}; {remedy}")
    rows: list[dict[str, Any]] = []
    bad = 0
    for path in paths:
        try:
            episode = load_episode(path, allow_partial=arguments.partial)
        except TheiaError as error:
            bad += 1
            rows.append({"path": str(path), "error": str(error)})
            continue
        rows.append({"path": str(path), "duration_s": round(episode.duration_s, 2), **episode.metadata})
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return 1 if bad else 0
    print(f"{'episode':<28} {'task':<10} {'duration':>8}  {'success':<7} {'operator':<20} {'MB':>6}")
    for path, row in zip(paths, rows, strict=True):
        name = str(path.relative_to(arguments.folder))
        if "error" in row:
            print(f"{name:<28} unreadable: {row['error']}")
            continue
        success = ("yes" if row["success"] else "no") if "success" in row else "-"
        operator = str(row.get("operator", "-"))
        size_mb = path.stat().st_size / 1e6
        print(
            f"{name:<28} {row.get('task', '-')!s:<10} {row['duration_s']:>6.1f} s  {success:<7} "
            f"{operator:<20} {size_mb:>6.1f}"
        )
    solved = sum(bool(row.get("success")) for row in rows)
    print(f"{len(paths)} episodes, {solved} successful, {bad} unreadable")
    return 1 if bad else 0


def _show(arguments: argparse.Namespace) -> int:
    from theia_core.episodes import load_episode

    episode = load_episode(arguments.episode, allow_partial=arguments.partial)
    topics: dict[str, dict[str, Any]] = {
        name: {"type": topic.msgtype, "messages": topic.message_count}
        for name, topic in episode.topics.items()
    }
    if arguments.json:
        shown = {"path": str(episode.path), "duration_s": episode.duration_s, "damage": episode.damage}
        events = [event._asdict() for event in episode.events()]
        print(
            json.dumps({**shown, "metadata": episode.metadata, "topics": topics, "events": events}, indent=1)
        )
        return 0
    print(f"{episode.path}, {episode.duration_s:.2f} s" + (f" ({episode.damage})" if episode.damage else ""))
    for key, value in episode.metadata.items():
        print(f"  {key:<14} {_short(value)}")
    print("topics")
    for name, topic in topics.items():
        rate = (topic["messages"] - 1) / episode.duration_s if episode.duration_s else 0.0
        print(f"  {name:<30} {topic['messages']:>6} messages  {rate:>6.1f} Hz  {topic['type']}")
    for event in episode.events():
        print(f"event at {event.stamp_s - episode.start_s:.2f} s: {event.event} {_short(event.detail)}")
    _save_filmstrip(episode, arguments.out or Path(f"{episode.path.name.partition('.')[0]}.png"))
    return 0


def _save_filmstrip(episode: Any, out: Path) -> None:
    import cv2

    from theia_core.episodes.filmstrip import filmstrip

    picture = cv2.cvtColor(filmstrip(episode), cv2.COLOR_RGB2BGR)
    if out.suffix.lower() != ".png":
        raise TheiaError(f"the filmstrip is a PNG picture; name it .png, not {out.name}")
    if not out.parent.is_dir() or not cv2.imwrite(str(out), picture):
        raise TheiaError(f"cannot write the filmstrip {out}; check the folder")
    print(f"filmstrip: {out}")


def _check(arguments: argparse.Namespace) -> int:
    from theia_core.episodes import find_episodes
    from theia_core.episodes.check import ERROR, check_episode

    paths = [
        path for given in arguments.paths for path in (find_episodes(given) if given.is_dir() else [given])
    ]
    if not paths:
        raise TheiaError(f"no episodes in {', '.join(map(str, arguments.paths))}")
    findings = {path: check_episode(path) for path in paths}
    unfit = [path for path, remarks in findings.items() if any(remark.level == ERROR for remark in remarks)]
    if arguments.json:
        report = {str(path): [vars(remark) for remark in remarks] for path, remarks in findings.items()}
        print(json.dumps({"episodes": len(paths), "unfit": len(unfit), "findings": report}, indent=1))
        return 1 if unfit else 0
    for path, remarks in findings.items():
        for remark in remarks:
            print(f"{path}: {remark.level}: {remark.text}")
    clean = sum(not remarks for remarks in findings.values())
    print(f"{len(paths)} episodes: {clean} without a remark, {len(unfit)} not fit to learn from")
    _print_coverage(paths)
    return 1 if unfit else 0


def _print_coverage(paths: list[Path]) -> None:
    """How the scenes of the episodes are spread over the ranges that the task asks for."""
    from theia_core.episodes.coverage import coverage

    for line in coverage(paths):
        print(line)


def _delete(arguments: argparse.Namespace) -> int:
    from theia_core.episodes.trash import delete_episodes

    moved = delete_episodes(arguments.episodes)
    folder = arguments.episodes[0].parent
    print(f"moved {len(moved)} episodes to {moved[0].parent}")
    print(f"to bring them back: theia episodes undo {folder}")
    return 0


def _undo(arguments: argparse.Namespace) -> int:
    from theia_core.episodes.trash import undo_delete

    for path in undo_delete(arguments.folder):
        print(f"brought back {path}")
    return 0


def _short(value: Any, limit: int = 90) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


COMMAND = Command("look at recorded episodes, check them, put bad ones away", configure, run)
