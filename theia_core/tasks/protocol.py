"""An evaluation protocol: which scenes are tried, in which order, and how a trial is scored."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np

from theia_core.errors import TheiaError
from theia_core.tasks.seeds import trial_seed


@dataclass(frozen=True)
class Trial:
    """One trial of an evaluation.

    Attributes:
        index: place in the order, from 0.
        seed: seed of the scene, never one of a training episode.
        cell: the scene's fixed values, e.g. {"base_height_m": 0.40, "x_position_m": -0.03}.
    """

    index: int
    seed: int
    cell: dict[str, float]


@dataclass(frozen=True)
class Protocol:
    """A full grid of scenes, each tried `repetitions` times.

    Attributes:
        task_id: task that is tried.
        axes: values of each scene parameter; the grid is their product.
        repetitions: how often each cell is tried.
        stages: the stages scored, from first to last, each with its criterion in words.
        horizon_steps: time limit of a trial in control steps.
        control_rate_hz: control steps per second.
    """

    task_id: str
    axes: Mapping[str, tuple[float, ...]]
    repetitions: int
    stages: Mapping[str, str]
    horizon_steps: int
    control_rate_hz: float

    @property
    def cells(self) -> list[dict[str, float]]:
        """All cells of the grid."""
        return [dict(zip(self.axes, values, strict=True)) for values in product(*self.axes.values())]

    @property
    def trials_total(self) -> int:
        """Number of trials of the complete protocol."""
        return len(self.cells) * self.repetitions

    @property
    def hash(self) -> str:
        """12 hexadecimal digits that change with anything a result depends on."""
        text = json.dumps(asdict(self))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def trials(self, seed: int, n: int | None = None) -> list[Trial]:
        """The first `n` trials of the evaluation with `seed`, the complete protocol if `n` is None.

        The order is random but balanced: each pass over the grid visits every cell once. On a square grid of
        n x n cells, each n consecutive trials from the start visit every value of both axes once, so that an
        evaluation cut short is still spread over the grid. More trials than the protocol's are further
        passes.

        Raises:
            TheiaError: if `n` is below 1 or beyond the seeds of one evaluation.
        """
        count = self.trials_total if n is None else n
        if count < 1:
            raise TheiaError(f"an evaluation needs at least 1 trial, not {count}")
        trial_seed(seed, count - 1)
        random = np.random.default_rng([seed, int(self.hash, 16)])
        order: list[dict[str, float]] = []
        while len(order) < count:
            order += self._one_pass(random)
        return [Trial(index, trial_seed(seed, index), cell) for index, cell in enumerate(order[:count])]

    def _one_pass(self, random: np.random.Generator) -> list[dict[str, float]]:
        """Every cell once, in balanced random order."""
        sizes = {len(values) for values in self.axes.values()}
        if len(self.axes) != 2 or len(sizes) != 1:
            cells = self.cells
            return [cells[place] for place in random.permutation(len(cells))]
        (first, rows), (second, columns) = self.axes.items()
        size = sizes.pop()
        shift = random.permutation(size)
        order = []
        for group in random.permutation(size):
            # (row, shift[row] + group) is a transversal: each row once, each column once
            for row in random.permutation(size):
                order.append({first: rows[row], second: columns[(shift[row] + group) % size]})
        return order
