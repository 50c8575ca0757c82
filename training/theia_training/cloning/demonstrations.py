"""Recorded episodes as training samples: one observation and the chunk of actions that followed it."""

import hashlib
from collections.abc import Sequence

import numpy as np

from theia_core.errors import TheiaError
from theia_training.cloning.episode_cache import CachedEpisode


def split_by_episode(
    episodes: Sequence[CachedEpisode], fraction: float, seed: int
) -> tuple[list[CachedEpisode], list[CachedEpisode]]:
    """Training and validation episodes.

    Whole episodes are held out, so that no validation image has a neighbour in training.

    An episode's place depends on its content and `seed`, so adding episodes moves few others.

    Raises:
        TheiaError: if there are fewer than two episodes.
    """
    if len(episodes) < 2:
        raise TheiaError(
            f"{len(episodes)} episode(s) found; training needs at least two, one of them for validation"
        )
    ordered = sorted(
        episodes, key=lambda episode: hashlib.sha256(f"{seed}/{episode.content_hash}".encode()).digest()
    )
    held_out = min(max(1, round(fraction * len(ordered))), len(ordered) - 1)
    return ordered[held_out:], ordered[:held_out]


def chunk_targets(
    actions: np.ndarray, held: np.ndarray, horizon: int, *, absolute: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """For each step the next `horizon` actions, and which of them are to be learned.

    Args:
        actions: (T, D) actions of one episode.
        held: (T,) bool, steps without an executed action.
        horizon: H.
        absolute: actions are poses, and the last one goes on beyond the end: the robot stays there.

    Returns:
        Targets (T, H, D) float32 and a mask (T, H) bool, False at held steps and, unless actions are
        absolute, beyond the end.
    """
    steps = np.arange(len(actions))[:, None] + np.arange(horizon)
    last = len(actions) - 1
    inside = (steps <= last) | absolute
    steps = np.minimum(steps, last)
    return actions[steps].astype(np.float32), inside & ~held[steps]


class Demonstrations:
    """All steps of some episodes, addressed by one index.

    Attributes:
        joints: (S, J) float32, the robot's state.
        targets: (S, H, D) float32 actions.
        mask: (S, H) bool, False where there was no action to learn.
    """

    def __init__(self, episodes: Sequence[CachedEpisode], horizon: int, *, absolute: bool = False) -> None:
        """Join `episodes`, whose observations stay on disk; arguments as for `chunk_targets`."""
        self._observed = [(episode.observed, *episode.variants) for episode in episodes]
        self._episode_of = np.repeat(np.arange(len(episodes)), [len(episode) for episode in episodes])
        self._step_of = np.concatenate([np.arange(len(episode)) for episode in episodes])
        chunks = [chunk_targets(e.actions, e.held, horizon, absolute=absolute) for e in episodes]
        self.joints = np.concatenate([episode.joints for episode in episodes])
        self.targets = np.concatenate([targets for targets, _ in chunks])
        self.mask = np.concatenate([mask for _, mask in chunks])

    def __len__(self) -> int:
        return len(self._episode_of)

    @property
    def variants(self) -> int:
        """Augmented variants of each observation, besides the one that was recorded."""
        return len(self._observed[0]) - 1

    def observed(self, samples: np.ndarray, variants: np.ndarray | None = None) -> np.ndarray:
        """Tokens (B, N, d) float16 or frames (B, S, S, 3) uint8 of sample indices (B,).

        `variants` (B,) says which variant of each is meant; 0, the recorded one, by default.
        """
        first = self._observed[0][0]
        chosen = np.zeros(len(samples), int) if variants is None else variants
        batch = np.empty((len(samples), *first.shape[1:]), first.dtype)
        for row, (sample, variant) in enumerate(zip(samples, chosen, strict=True)):
            batch[row] = self._observed[self._episode_of[sample]][variant][self._step_of[sample]]
        return batch
