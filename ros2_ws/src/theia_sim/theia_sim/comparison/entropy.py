"""Entropy of the token norms of each encoder, on the scenes in which its policies are tried."""

import json
from collections.abc import Collection

import numpy as np

from theia_core.analysis.norms import norm_entropy, norm_entropy_own_range, token_norms
from theia_core.encoders import load_encoder
from theia_core.files import write_json
from theia_core.tasks import get_task
from theia_sim.comparison.config import Comparison
from theia_sim.envs import make_env

_SCENES = 24


def norm_entropies(comparison: Comparison, titles: Collection[str]) -> dict[str, dict[str, float]]:
    """Entropy [nats] of the norms of each encoder's spatial tokens over first frames of trials of all tasks.

    Kept in `entropy.json`; an encoder that is measured already is not measured again.

    Args:
        comparison: what is compared.
        titles: encoders that are wanted; the others may not be made yet.

    Returns:
        Title of the encoder -> {"entropy": histogram over 0 to twice the median norm, "entropy_own_range":
        over the norms' own range}; encoders without places are left out.
    """
    path = comparison.out / "entropy.json"
    kept: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.is_file() else {}
    frames: np.ndarray | None = None
    found = {}
    for title, one in comparison.encoders.items():
        if title not in titles or not one.spatial:
            continue
        encoder = load_encoder(one.encoder, threads=1)
        key = f"{encoder.encoder_id}, {', '.join(comparison.tasks)}, seed {comparison.evaluation_seed}"
        if key not in kept:
            frames = first_frames(comparison) if frames is None else frames
            norms = token_norms(encoder.encode(frames))
            kept[key] = {"entropy": norm_entropy(norms), "entropy_own_range": norm_entropy_own_range(norms)}
            write_json(path, kept)
        found[title] = kept[key]
    return found


def first_frames(comparison: Comparison) -> np.ndarray:
    """(N, 480, 640, 3) uint8 RGB: what the policy sees at the start of the first trials of every task."""
    frames = []
    for name in comparison.tasks:
        env = make_env(name)
        try:
            for trial in get_task(name).protocol.trials(comparison.evaluation_seed, _SCENES):
                env.reset(type(env).params_type.sample(trial.seed, **trial.cell))
                frames.append(np.array(env.render()))
        finally:
            env.close()
    return np.stack(frames)
