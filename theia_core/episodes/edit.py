"""Changing an episode without destroying it: what is changed is a copy, the original goes to .trash."""

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from theia_core.episodes.reader import EDITS, Episode, load_episode
from theia_core.episodes.trash import put_aside
from theia_core.episodes.writer import EpisodeWriter
from theia_core.errors import TheiaError
from theia_core.files import file_sha256

# What the writer says about its own file.
_OF_THE_FILE = ("format", "id", "complete", "message_count")
SHORTEST_S = 0.4


def trim(path: Path, from_s: float, to_s: float, out: Path | None = None) -> Path:
    """Keep the messages received between two times.

    Args:
        path: the episode.
        from_s: seconds after its first message.
        to_s: likewise.
        out: the new file; by default it takes the episode's place, and the episode goes to .trash.

    Raises:
        TheiaError: if less than 0.4 s or nothing would be left, or a file cannot be read or written.
    """
    episode = load_episode(path)
    if not 0 <= from_s < to_s or to_s - from_s < SHORTEST_S or from_s > episode.duration_s:
        raise TheiaError(
            f"{path} lasts {episode.duration_s:.2f} s; {from_s:g} to {to_s:g} s leaves nothing of use, "
            f"give a part of at least {SHORTEST_S} s"
        )
    to_s = min(to_s, episode.duration_s)
    return _changed(episode, {"trim_s": [round(from_s, 3), round(to_s, 3)]}, {}, (from_s, to_s), out)


def relabel(path: Path, labels: Mapping[str, Any], out: Path | None = None) -> Path:
    """Replace metadata such as success, stages, operator, notes.

    Args:
        path: the episode.
        labels: new values; None removes one.
        out: as for `trim`.

    Raises:
        TheiaError: if a label is one that only the recorder may give, or a file cannot be read or written.
    """
    if taken := [name for name in labels if name in (*_OF_THE_FILE, EDITS)]:
        raise TheiaError(f"{taken[0]} is no label: it belongs to the file")
    return _changed(load_episode(path), {"labels": dict(labels)}, labels, None, out)


def _changed(
    episode: Episode,
    edit: dict[str, Any],
    labels: Mapping[str, Any],
    span_s: tuple[float, float] | None,
    out: Path | None,
) -> Path:
    metadata = {name: value for name, value in episode.metadata.items() if name not in _OF_THE_FILE}
    metadata.update({name: value for name, value in labels.items() if value is not None})
    metadata = {name: value for name, value in metadata.items() if labels.get(name, value) is not None}
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    made_from = {"of_sha256": file_sha256(episode.path), "of": episode.path.name, "at": now}
    metadata[EDITS] = [*episode.metadata.get(EDITS, []), {**edit, **made_from}]
    target = episode.path if out is None else out
    place = target if out is not None else target.with_name(f".{target.stem}.edited.mcap")
    writer = EpisodeWriter(place, metadata, episode_id=target.stem)
    try:
        copy_messages(episode, writer, span_s)
        writer.close()
    except BaseException:
        writer.discard()
        raise
    if out is None:
        put_aside([episode.path])
        place.rename(target)
    return target


def copy_messages(episode: Episode, writer: EpisodeWriter, span_s: tuple[float, float] | None = None) -> None:
    """Copy what was recorded, byte for byte, or what lies between two times after the start [s]."""
    low_s, high_s = span_s or (float("-inf"), float("inf"))
    for record in episode.recorded():
        if low_s - 1e-9 <= record.log_time_ns * 1e-9 - episode.start_s <= high_s + 1e-9:
            writer.write_cdr(
                record.topic,
                record.msgtype,
                record.data,
                record.log_time_ns,
                record.publish_time_ns,
                record.definition,
            )
