"""Failures to look at: film strips and videos of trials, embedded in the page."""

import base64
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from theia_core.analysis.page.html import note, picture, section
from theia_core.errors import TheiaError
from theia_core.evaluation.report.labels import cell_text, words
from theia_core.evaluation.runs import Run
from theia_core.tasks import Task

_FAILURES, _SUCCESSES = 8, 2
_MOST_VIDEO_BYTES = 1_500_000


def films_section(task: Task, runs: Mapping[str, Run]) -> str:
    """Failures first, then a few successes for comparison; empty where no trial was filmed."""
    blocks, notes = [], []
    for title, run in runs.items():
        filmed = [record for record in run.records if record.get("video") or record.get("episode")]
        last = task.stages[-1]
        failed = [record for record in filmed if not record["stages"][last]]
        succeeded = [record for record in filmed if record["stages"][last]]
        for record in [*failed[:_FAILURES], *succeeded[:_SUCCESSES]]:
            try:
                blocks.append(_film(task, title, run.folder, record))
            except TheiaError as error:
                notes.append(f"{title}, trial {record['index']}: {error}")
        if len(failed) > _FAILURES:
            notes.append(f"{title}: {len(failed) - _FAILURES} more failures were filmed than are shown here.")
    if not blocks and not notes:
        return ""
    return section(
        "Films",
        "Failures first; the pictures are evenly spaced over the trial.",
        *blocks,
        *map(note, notes),
    )


def _film(task: Task, title: str, folder: Path, record: dict[str, Any]) -> str:
    reached = [words(stage) for stage, done in record["stages"].items() if done]
    outcome = "success" if record["stages"][task.stages[-1]] else record.get("failure") or "time limit"
    so_far = f"reached: {', '.join(reached)}" if reached else "reached no stage"
    caption = f"{title}, trial {record['index']} ({cell_text(record['cell'])}): {outcome}; {so_far}"
    if record.get("notes"):
        caption += f"; {record['notes']}"
    strip = picture(_strip(folder, record), f"film strip of {caption}", caption, photograph=True)
    return f'<div class="film">{strip}{_video(folder, record)}</div>'


def _strip(folder: Path, record: dict[str, Any]) -> np.ndarray:
    """(H, W, 3) uint8 RGB: eight pictures of the trial.

    Raises:
        TheiaError: if the file is absent or cannot be read.
    """
    if video := record.get("video"):
        from theia_core.video import video_strip

        return video_strip(folder / video)
    from theia_core.episodes import load_episode
    from theia_core.episodes.filmstrip import filmstrip

    return filmstrip(load_episode(folder / record["episode"]), width=240)


def _video(folder: Path, record: dict[str, Any]) -> str:
    """The video itself where it is small, its name where it is not; empty without one."""
    if not record.get("video"):
        return ""
    path = folder / record["video"]
    if path.stat().st_size > _MOST_VIDEO_BYTES:
        return f'<p class="note">video: {escape(str(path))}</p>'
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<video controls preload="metadata" src="data:video/mp4;base64,{data}"></video>'
