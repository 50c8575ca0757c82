"""Whether an episode is fit to learn from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from theia_core.actions.spaces import EE_DELTA, EE_POSE, motion
from theia_core.episodes.messages import stamp_s
from theia_core.episodes.quality import (
    BLURRED,
    DARK,
    IDLE,
    MOST_AHEAD_S,
    MOST_BEHIND_S,
    clock_skew_s,
    idle_ends,
    is_frozen,
    sharpness,
    small_grey,
    stream_rate,
)
from theia_core.episodes.reader import Episode, load_episode
from theia_core.episodes.resample import ControlSteps, resample
from theia_core.errors import TheiaError
from theia_core.tasks.seeds import FIRST_TRIAL_SEED

ERROR, WARNING = "error", "warning"

_CAMERA_GAP_S = 0.5
_JOINT_GAP_S = 0.25
_FEWEST_STEPS = 10
_MOST_DROPPED = 0.05
_MOST_IDLE_S = 2.0
# What a 5 Hz step may be at most: of `ee_delta` BridgeData's convention and a margin for rounding, of
# `ee_pose` twice what the guard lets pass from one pose to the next.
_MOST = {EE_DELTA.name: (0.0501, 0.2501), EE_POSE.name: (0.12, 0.60)}
_MOST_HELD = 0.2


@dataclass(frozen=True)
class Finding:
    """One remark; an episode with an "error" must not be trained on."""

    level: str
    text: str


def check_episode(path: Path) -> list[Finding]:
    """Everything that speaks against an episode; empty if nothing does."""
    try:
        episode = load_episode(path)
        steps = resample(episode)
        return [
            *_labels(episode),
            *_streams(episode),
            *_timing(steps),
            *_actions(steps),
            *_pictures(steps),
        ]
    except TheiaError as error:
        return [Finding(ERROR, str(error))]


def _labels(episode: Episode) -> list[Finding]:
    findings = []
    if not episode.metadata.get("complete"):
        findings.append(Finding(ERROR, "the recording was never finished"))
    if absent := [key for key in ("task", "success") if key not in episode.metadata]:
        findings.append(Finding(WARNING, f"the metadata lacks {' and '.join(absent)}"))
    elif not episode.metadata["success"]:
        findings.append(Finding(WARNING, "the episode is labelled as a failure"))
    seed = episode.metadata.get("seed")
    if isinstance(seed, int) and seed >= FIRST_TRIAL_SEED:
        findings.append(
            Finding(
                WARNING, f"seed {seed} is a trial's: what learns from it must not be judged on that trial"
            )
        )
    return findings


def _streams(episode: Episode) -> list[Finding]:
    """Dropped messages, and clocks that disagree."""
    findings = []
    skews_s = {}
    for what, topic in (("camera", episode.image_topic), ("joint states", episode.state_topic)):
        times = [(stamp_s(message), log_ns * 1e-9) for log_ns, message in episode.messages(topic)]
        stamps_s, received_s = np.array(times).T
        rate = stream_rate(np.sort(stamps_s))
        if rate.dropped > _MOST_DROPPED * len(stamps_s):
            text = f"{rate.dropped} of {rate.dropped + len(stamps_s)} messages are missing"
            findings.append(Finding(WARNING, f"{what} at {rate.rate_hz:.1f} Hz: {text}"))
        skews_s[what] = clock_skew_s(stamps_s, received_s)
    if not -MOST_AHEAD_S <= (skew_s := skews_s["camera"] - skews_s["joint states"]) <= MOST_BEHIND_S:
        findings.append(
            Finding(ERROR, f"the clocks of camera and arm differ by {abs(skew_s):.2f} s; synchronise them")
        )
    return findings


def _timing(steps: ControlSteps) -> list[Finding]:
    findings = []
    if len(steps) < _FEWEST_STEPS:
        findings.append(Finding(WARNING, f"only {len(steps)} control steps"))
    gap_s = float(np.diff(steps.image_stamps_s).max(initial=0.0))
    if gap_s > _CAMERA_GAP_S:
        findings.append(Finding(ERROR, f"the camera gave nothing for {gap_s:.2f} s"))
    joint_gap_s = float(np.abs(steps.joint_stamps_s - steps.image_stamps_s).max(initial=0.0))
    if joint_gap_s > _JOINT_GAP_S:
        findings.append(Finding(ERROR, f"an image lies {joint_gap_s:.2f} s from the nearest joint state"))
    return findings


def _actions(steps: ControlSteps) -> list[Finding]:
    findings = []
    if not np.all(np.isfinite(steps.actions)) or not np.all(np.isfinite(steps.joints)):
        findings.append(Finding(ERROR, "an action or a joint is not a finite number"))
        return findings
    moved, space = np.abs(motion(steps.actions)), steps.action_space
    farthest, widest = moved[:, :3].max(), moved[:, 3:].max()
    if farthest > _MOST[space][0] or widest > _MOST[space][1]:
        findings.append(Finding(WARNING, f"a step of {farthest:.3f} m or {widest:.3f} rad is not {space}'s"))
    if not moved.any():
        findings.append(Finding(ERROR, "no action moves the arm"))
    else:
        period_s = float(np.median(np.diff(steps.stamps_s))) if len(steps) > 1 else 0.0
        for end, idle in zip(("begin", "end"), idle_ends(steps.actions), strict=True):
            if idle * period_s > _MOST_IDLE_S:
                text = f"it {end}s with {idle * period_s:.1f} s in which nothing moves"
                findings.append(Finding(WARNING, f"{text}; theia episodes trim --idle cuts that off"))
    if steps.held.mean() > _MOST_HELD:
        findings.append(Finding(WARNING, f"the arm was held in {100 * steps.held.mean():.0f} % of the steps"))
    return findings


def _pictures(steps: ControlSteps) -> list[Finding]:
    findings = []
    frozen = dark = 0
    sharp = []
    moving = np.abs(motion(steps.actions)).max(axis=1) > IDLE
    before = None
    for step, image in enumerate(steps.images):
        grey = small_grey(image)
        dark += bool(grey.mean() < DARK)
        if before is not None and moving[step - 1]:
            frozen += is_frozen(before, grey)
        before = grey
        sharp.append(sharpness(grey))
    blurred = int(np.sum(np.array(sharp) < BLURRED * np.median(sharp)))
    if frozen:
        findings.append(Finding(ERROR, f"the picture stood still in {frozen} steps although the arm moved"))
    if dark:
        findings.append(Finding(WARNING, f"{dark} pictures are black"))
    if blurred > dark:
        findings.append(Finding(WARNING, f"{blurred - dark} pictures are blurred or covered"))
    return findings
