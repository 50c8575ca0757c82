"""The two seed spaces: a scene that a demonstration used can never come up in an evaluation.

Training seeds are 0 ... 999,999; everything above belongs to evaluation. A scene is a function of its seed,
so disjoint seeds give different jitter, lights, colours and camera even where two poses happen to be close.
"""

from theia_core.errors import TheiaError

FIRST_TRIAL_SEED = 1_000_000
_TRIALS_PER_SEED = 10_000


def train_seed(index: int) -> int:
    """Seed of training episode `index` (0 ... 999,999).

    Raises:
        TheiaError: if `index` would leave the training seeds.
    """
    if not 0 <= index < FIRST_TRIAL_SEED:
        raise TheiaError(f"training episode {index} is out of range; choose 0 to {FIRST_TRIAL_SEED - 1}")
    return int(index)


def trial_seed(seed: int, index: int) -> int:
    """Seed of trial `index` (0 ... 9,999) of the evaluation with `seed` (0 or more); no two pairs share one.

    Raises:
        TheiaError: if either is out of range.
    """
    if seed < 0:
        raise TheiaError(f"evaluation seed {seed} is negative; choose 0 or more")
    if not 0 <= index < _TRIALS_PER_SEED:
        raise TheiaError(
            f"trial {index} is out of range; one evaluation has at most {_TRIALS_PER_SEED} trials"
        )
    return FIRST_TRIAL_SEED + int(seed) * _TRIALS_PER_SEED + int(index)
