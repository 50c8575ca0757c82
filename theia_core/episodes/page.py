"""A page on one episode: its video, a filmstrip, and plots of joints, actions and the camera's regularity."""

import base64
import json
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from theia_core.actions.hand_state import STATE_NAMES
from theia_core.actions.spaces import EE_DELTA, EE_POSE, motion
from theia_core.analysis.page.chart import Series, line_chart
from theia_core.analysis.page.html import note, page, picture, section, table
from theia_core.episodes.check import Finding, check_episode
from theia_core.episodes.filmstrip import filmstrip
from theia_core.episodes.messages import stamp_s
from theia_core.episodes.quality import stream_rate
from theia_core.episodes.reader import Episode
from theia_core.episodes.resample import resample
from theia_core.errors import MissingExtraError, TheiaError
from theia_core.video import VideoWriter

_VIDEO_WIDTH = 480
_HAND = STATE_NAMES[7:10]
_MOST_POINTS = 400


def episode_page(episode: Episode) -> str:
    """A self-contained HTML document; the video is left out, with a note, where PyAV is not installed.

    Raises:
        TheiaError: if the episode has no camera, or its messages cannot be decoded.
    """
    labels = episode.metadata
    outcome = {True: "successful", False: "a failure", None: "not labelled"}[labels.get("success")]
    lead = (
        f"{labels.get('task', 'unknown task')}, {episode.duration_s:.1f} s, {outcome}, "
        f"operator {labels.get('operator', 'unknown')}."
    )
    sections = [
        section("Film", "", _video(episode), picture(filmstrip(episode), "frames of the episode", "", True)),
        section("Check", "", _findings(check_episode(episode.path))),
        section("Arm", "", f'<div class="charts">{"".join(_charts(episode))}</div>'),
        section("Recording", "", _topics(episode)),
        section("Labels", "", _labels(labels)),
    ]
    if events := episode.events():
        rows = [
            [f"{event.stamp_s - episode.start_s:.2f} s", escape(event.event), escape(event.detail)]
            for event in events
        ]
        sections.append(section("Events", "", table(["time", "event", "detail"], rows)))
    return page(f"Episode {episode.path.name}", lead, sections)


def _video(episode: Episode) -> str:
    stamps_s = np.array([stamp_s(frame) for _, frame in episode.messages(episode.image_topic)])
    fps = stream_rate(np.sort(stamps_s)).rate_hz or 5.0
    try:
        with tempfile.TemporaryDirectory() as folder:
            with VideoWriter(Path(folder) / "a.mp4", round(fps, 2), quality=28) as video:
                for rgb in _narrow(episode):
                    video.write(rgb)
            data = video.path.read_bytes()
    except MissingExtraError as error:
        return note(f"No video: {error}")
    source = f"data:video/mp4;base64,{base64.b64encode(data).decode()}"
    return (
        f'<figure><video controls muted loop playsinline style="width:100%;max-width:{_VIDEO_WIDTH}px" '
        f'src="{source}"></video><figcaption>{len(stamps_s)} frames at {fps:.1f} Hz</figcaption></figure>'
    )


def _narrow(episode: Episode) -> Iterator[np.ndarray]:
    for _, rgb in episode.images():
        height = round(_VIDEO_WIDTH * rgb.shape[0] / rgb.shape[1])
        small = rgb.shape[1] <= _VIDEO_WIDTH
        yield rgb if small else cv2.resize(rgb, (_VIDEO_WIDTH, height), interpolation=cv2.INTER_AREA)


def _charts(episode: Episode) -> list[str]:
    joints = episode.joints()
    span = (0.0, max(episode.duration_s, 0.1))
    hand = [index for index, name in enumerate(joints.names) if name in _HAND]
    others = {"gripper", *STATE_NAMES[6:]}
    arm = [i for i, name in enumerate(joints.names) if "finger" not in name and name not in others]
    fingers = [index for index, name in enumerate(joints.names) if "finger" in name]
    when_s = joints.stamps_s - episode.start_s
    charts = [_lines("Joints", "rad", when_s, joints.positions[:, arm], [joints.names[i] for i in arm], span)]
    if fingers:
        names = [joints.names[i] for i in fingers]
        charts.append(_lines("Fingers", "mm", when_s, 1000 * joints.positions[:, fingers], names, span))
    if hand:
        names = [joints.names[i] for i in hand]
        charts.append(_lines("Hand", "m", when_s, joints.positions[:, hand], names, span))
    try:
        steps = resample(episode)
    except TheiaError as error:
        return [*charts, note(f"No actions: {error}")]
    when_s = steps.stamps_s - episode.start_s
    if steps.actions.shape[1] in (EE_DELTA.dim, EE_POSE.dim):
        by = motion(steps.actions)
        moved = ["x", "y", "z"]
        charts.append(_lines("Moved per step", "mm", when_s, 1000 * by[:, :3], moved, span))
        turned = ["about x", "about y", "about z"]
        charts.append(_lines("Turned per step", "rad", when_s, by[:, 3:], turned, span))
    charts.append(_lines("Gripper action", "1 = open", when_s, steps.actions[:, -1:], ["gripper"], span))
    frames_s = np.sort([stamp_s(frame) for _, frame in episode.messages(episode.image_topic)])
    if len(frames_s) > 1:
        gaps_ms = 1000 * np.diff(frames_s)[:, None]
        times_s = frames_s[1:] - episode.start_s
        charts.append(_lines("Between frames", "ms", times_s, gaps_ms, ["camera"], span, from_zero=True))
    return charts


def _lines(
    title: str,
    unit: str,
    when_s: np.ndarray,
    values: np.ndarray,
    names: list[str],
    span: tuple[float, float],
    from_zero: bool = False,
) -> str:
    thin = max(1, len(when_s) // _MOST_POINTS)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    low = 0.0 if from_zero else low
    margin = 0.05 * (high - low) or 0.5
    series = [
        Series(name, when_s[::thin], np.nan_to_num(column[::thin]))
        for name, column in zip(names, values.T, strict=True)
    ]
    return line_chart(series, title, "time [s]", f"{title} [{unit}]", span, (low - margin, high + margin))


def _findings(findings: list[Finding]) -> str:
    if not findings:
        return note("Nothing speaks against this episode.")
    return table(
        ["", ""], [[escape(finding.level), escape(finding.text)] for finding in findings], "findings"
    )


def _topics(episode: Episode) -> str:
    rows = []
    for name, topic in episode.topics.items():
        rate = (topic.message_count - 1) / episode.duration_s if episode.duration_s else 0.0
        rows.append([escape(name), escape(topic.msgtype), str(topic.message_count), f"{rate:.1f}"])
    return table(["topic", "type", "messages", "Hz"], rows)


def _labels(metadata: dict[str, Any]) -> str:
    rows = [
        [escape(name), escape(value if isinstance(value, str) else json.dumps(value))]
        for name, value in metadata.items()
    ]
    return table(["label", "value"], rows, "findings")
