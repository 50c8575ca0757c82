"""Whether an episode is fit to learn from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from theia_core.episodes.reader import Episode, load_episode
from theia_core.episodes.resample import ControlSteps, resample
from theia_core.errors import TheiaError
from theia_core.tasks.seeds import FIRST_TRIAL_SEED

ERROR, WARNING = "error", "warning"

# Two pictures closer than this (mean absolute difference, of 255) are one picture: the camera froze.
_FROZEN = 0.02
_DARK = 8.0
_CAMERA_GAP_S = 0.5
_JOINT_GAP_S = 0.25
_FEWEST_STEPS = 10
# BridgeData's convention, with a margin for rounding: what a 5 Hz `ee_delta` step may be at most.
_MAX_STEP_M = 0.0501
_MAX_STEP_RAD = 0.2501
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
        return [*_labels(episode), *_timing(steps), *_actions(steps), *_pictures(steps)]
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
    motion = np.abs(steps.actions)
    if motion[:, :3].max() > _MAX_STEP_M or motion[:, 3:6].max() > _MAX_STEP_RAD:
        farthest, widest = motion[:, :3].max(), motion[:, 3:6].max()
        findings.append(Finding(WARNING, f"a step of {farthest:.3f} m or {widest:.3f} rad is not ee_delta's"))
    if not motion[:, :6].any():
        findings.append(Finding(ERROR, "no action moves the arm"))
    if steps.held.mean() > _MOST_HELD:
        findings.append(Finding(WARNING, f"the arm was held in {100 * steps.held.mean():.0f} % of the steps"))
    return findings


def _pictures(steps: ControlSteps) -> list[Finding]:
    findings = []
    frozen = dark = 0
    moving = np.abs(steps.actions[:, :6]).max(axis=1) > 1e-3
    before = None
    for step, image in enumerate(steps.images):
        small = image[::4, ::4].astype(np.int16)
        dark += bool(small.mean() < _DARK)
        if before is not None and moving[step - 1]:
            frozen += bool(np.abs(small - before).mean() < _FROZEN)
        before = small
    if frozen:
        findings.append(Finding(ERROR, f"the picture stood still in {frozen} steps although the arm moved"))
    if dark:
        findings.append(Finding(WARNING, f"{dark} pictures are black"))
    return findings
