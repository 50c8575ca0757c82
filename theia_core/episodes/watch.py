"""What is wrong with a recording while it is being made, from stamps and a picture now and then."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from theia_core.episodes.quality import (
    BLURRED,
    DARK,
    IDLE,
    MOST_AHEAD_S,
    MOST_BEHIND_S,
    clock_skew_s,
    is_frozen,
    sharpness,
    stream_rate,
)

CAMERA, JOINTS = "camera", "joint_states"
_WINDOW_S = 3.0
_SILENT_S = 1.0
_SLOW = 0.7  # of the expected rate
_MOST_DROPPED, _FEWEST_DROPPED = 0.05, 3
_IDLE_S = 4.0
_SEEN_AFTER_S = 0.3  # a motion shows in the picture by then
_LEAST_SPACE_S = 600.0
_LEAST_SPACE_BYTES = 500_000_000
_PICTURES = 200


@dataclass
class _Stream:
    """Stamps and arrivals of the last seconds, and counts since the start."""

    expected_hz: float
    recent: deque[tuple[float, float]]
    count: int = 0
    dropped: int = 0
    last_stamp_s: float | None = None


class RecordingWatch:
    """Watches one episode; all times are seconds of the ROS clock that stamps are made with."""

    def __init__(self, started_s: float, expected_hz: dict[str, float]) -> None:
        """Begin.

        Args:
            started_s: when the recording began.
            expected_hz: rate that each stream must have.
        """
        self._started_s = started_s
        self._streams = {name: _Stream(rate, deque()) for name, rate in expected_hz.items()}
        self._moved_s: float | None = None
        self._moved_since_s: float | None = None  # first motion since the newest picture that differs
        self._gripper: float | None = None
        self._picture: tuple[float, np.ndarray] | None = None
        self._sharp: deque[float] = deque(maxlen=_PICTURES)
        self._frozen_since_s: float | None = None
        self._bytes = 0

    def on_message(self, stream: str, stamp_s: float, received_s: float) -> None:
        """Take the stamp of a message of a watched stream."""
        seen = self._streams[stream]
        if seen.last_stamp_s is not None and (gap_s := stamp_s - seen.last_stamp_s) > 0:
            late = stream_rate(np.array([0.0, gap_s]), 1 / seen.expected_hz)
            seen.dropped += late.dropped
        seen.last_stamp_s, seen.count = stamp_s, seen.count + 1
        seen.recent.append((stamp_s, received_s))
        while seen.recent[0][1] < received_s - _WINDOW_S:
            seen.recent.popleft()

    def on_bytes(self, count: int) -> None:
        """Count what was written, to tell how long the disk lasts."""
        self._bytes += count

    def on_picture(self, grey: np.ndarray, received_s: float) -> None:
        """Look at a picture, from `small_grey`; two a second are enough."""
        if self._picture is not None and is_frozen(self._picture[1], grey):
            if self._moved_since_s is not None and received_s - self._moved_since_s > _SEEN_AFTER_S:
                self._frozen_since_s = self._picture[0]
        else:
            self._frozen_since_s = self._moved_since_s = None
            self._picture = (received_s, grey)
        self._dark = float(grey.mean()) < DARK
        self._sharp.append(sharpness(grey))

    def on_action(self, action: np.ndarray, received_s: float) -> None:
        """Take an executed `ee_delta` action (7,)."""
        gripper = float(action[-1])
        if np.abs(action[:-1]).max() > IDLE or (self._gripper is not None and gripper != self._gripper):
            self._moved_s = received_s
            if self._moved_since_s is None:
                self._moved_since_s = received_s
        self._gripper = gripper

    def warnings(self, now_s: float, free_bytes: int) -> dict[str, str]:
        """What the operator should know now: cause -> sentence; empty while all is well."""
        found: dict[str, str] = {}
        running_s = now_s - self._started_s
        for name, seen in self._streams.items():
            if text := self._stream(name, seen, now_s, running_s):
                found[name] = text
            if seen.dropped >= max(_FEWEST_DROPPED, _MOST_DROPPED * seen.count):
                found[f"{name} dropped"] = f"{seen.dropped} messages of {name} are missing so far"
            if seen.recent:
                stamps_s, received_s = np.array(seen.recent).T
                if not -MOST_AHEAD_S <= (skew_s := clock_skew_s(stamps_s, received_s)) <= MOST_BEHIND_S:
                    way = "behind" if skew_s > 0 else "ahead of"
                    found[f"{name} clock"] = (
                        f"the stamps of {name} are {abs(skew_s):.2f} s {way} this machine's clock: "
                        "synchronise the clocks, or relieve the machine"
                    )
        found |= self._pictures(now_s)
        idle_s = now_s - (self._moved_s if self._moved_s is not None else self._started_s)
        if idle_s > _IDLE_S:
            found["idle"] = f"nothing has moved for {idle_s:.0f} s: keep or discard, or go on"
        if text := self._disk(running_s, free_bytes):
            found["disk"] = text
        return found

    def counts(self) -> dict[str, dict[str, int]]:
        """Messages and dropped messages of each stream, for the episode's metadata."""
        return {name: {"messages": s.count, "dropped": s.dropped} for name, s in self._streams.items()}

    @staticmethod
    def _stream(name: str, seen: _Stream, now_s: float, running_s: float) -> str:
        recent = sum(received_s > now_s - _WINDOW_S for _, received_s in seen.recent)
        silent_s = now_s - seen.recent[-1][1] if seen.recent else running_s
        if silent_s > _SILENT_S:
            return f"{name} has been silent for {silent_s:.1f} s"
        rate_hz = recent / _WINDOW_S
        if running_s > _WINDOW_S and rate_hz < _SLOW * seen.expected_hz:
            return f"{name} gives {rate_hz:.1f} instead of {seen.expected_hz:g} messages a second"
        return ""

    def _pictures(self, now_s: float) -> dict[str, str]:
        if not self._sharp:
            return {}
        found = {}
        if self._frozen_since_s is not None:
            found["frozen"] = (
                f"the picture has not changed for {now_s - self._frozen_since_s:.1f} s although the arm moves"
            )
        if self._dark:
            found["dark"] = "the picture is black"
        elif self._sharp[-1] < BLURRED * float(np.median(self._sharp)):
            found["blur"] = "the picture is blurred or covered"
        return found

    def _disk(self, running_s: float, free_bytes: int) -> str:
        per_s = self._bytes / running_s if running_s > _SILENT_S else 0.0
        left_s = free_bytes / per_s if per_s else np.inf
        if left_s > _LEAST_SPACE_S and free_bytes > _LEAST_SPACE_BYTES:
            return ""
        lasts = f", enough for {left_s / 60:.0f} min" if np.isfinite(left_s) else ""
        return f"{free_bytes / 1e9:.1f} GB left on the disk{lasts}"
