"""`theia episodes list|show|check`: what was recorded, and whether it is fit to learn from."""

import argparse
import json
from pathlib import Path
from typing import Any

from theia_core.commands.episode_tools.action import AddAction
from theia_core.errors import TheiaError


def configure(action: AddAction) -> None:
    """Declare the actions."""
    listing = action("list", _list, "one line an episode")
    listing.add_argument("folder", type=Path, help="folder of the episodes")
    listing.add_argument(
        "--partial", action="store_true", help="list the recordings that were cut off instead"
    )
    listing.add_argument("--json", action="store_true", help="print the metadata as JSON")
    showing = action("show", _show, "what is in an episode; a page with video and plots, or a filmstrip")
    showing.add_argument("episode", type=Path, help="an .mcap file")
    showing.add_argument(
        "--partial", action="store_true", help="read a truncated or damaged file as far as it goes"
    )
    showing.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="page (.html) or filmstrip (.png) (EPISODE.html in this folder)",
    )
    showing.add_argument("--json", action="store_true", help="print metadata and topics as JSON; no page")
    checking = action("check", _check, "whether episodes are fit to learn from; exit code 1 if one is not")
    checking.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="episodes, or folders of episodes"
    )
    checking.add_argument("--json", action="store_true", help="print the findings as JSON")


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
    _save(episode, arguments.out or Path(f"{episode.path.name.partition('.')[0]}.html"))
    return 0


def _save(episode: Any, out: Path) -> None:
    """The page or the filmstrip, by the name's ending."""
    from theia_core.files import whole_file

    kind = out.suffix.lower()
    if kind not in (".html", ".png"):
        raise TheiaError(f"name the page .html or the filmstrip .png, not {out.name}")
    if not out.parent.is_dir():
        raise TheiaError(f"cannot write {out}: there is no folder {out.parent}")
    with whole_file(out) as file:
        file.write(_page(episode) if kind == ".html" else _filmstrip(episode))
    print(f"{'page' if kind == '.html' else 'filmstrip'}: {out}")


def _page(episode: Any) -> bytes:
    from theia_core.episodes.page import episode_page

    return episode_page(episode).encode()


def _filmstrip(episode: Any) -> bytes:
    import cv2

    from theia_core.episodes.filmstrip import filmstrip

    _, png = cv2.imencode(".png", cv2.cvtColor(filmstrip(episode), cv2.COLOR_RGB2BGR))
    return png.tobytes()


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


def _short(value: Any, limit: int = 90) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
