"""An evaluation protocol: which scenes are tried, in which order, and how a trial is scored."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import product

import numpy as np

from theia_core.errors import TheiaError
from theia_core.tasks.seeds import trial_seed

CellValue = float | str


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
    cell: dict[str, CellValue]


@dataclass(frozen=True)
class Group:
    """Cells that are tried more or less often than the others, and reported apart.

    Attributes:
        axis: the axis that tells which cells these are.
        values: its values in these cells.
        repetitions: how often each of these cells is tried.
    """

    axis: str
    values: tuple[CellValue, ...]
    repetitions: int


@dataclass(frozen=True)
class Protocol:
    """A full grid of scenes, each tried `repetitions` times, or as often as its group says.

    Attributes:
        task_id: task that is tried.
        axes: values of each scene parameter, numbers or names; the grid is their product.
        repetitions: how often each cell is tried that is in no group.
        stages: the stages scored, from first to last, each with its criterion in words.
        horizon_steps: time limit of a trial in control steps.
        control_rate_hz: control steps per second.
        groups: names of parts of the grid that have their own number of repetitions and are reported apart;
            no cell is in two.
    """

    task_id: str
    axes: Mapping[str, tuple[CellValue, ...]]
    repetitions: int
    stages: Mapping[str, str]
    horizon_steps: int
    control_rate_hz: float
    groups: Mapping[str, Group] = field(default_factory=dict)

    @property
    def cells(self) -> list[dict[str, CellValue]]:
        """All cells of the grid."""
        return [dict(zip(self.axes, values, strict=True)) for values in product(*self.axes.values())]

    def group_of(self, cell: Mapping[str, CellValue]) -> str | None:
        """Name of the group that a cell belongs to, None if it is in none."""
        return next((name for name, g in self.groups.items() if cell.get(g.axis) in g.values), None)

    def repetitions_of(self, cell: Mapping[str, CellValue]) -> int:
        """How often the complete protocol tries a cell."""
        group = self.group_of(cell)
        return self.repetitions if group is None else self.groups[group].repetitions

    @property
    def trials_total(self) -> int:
        """Number of trials of the complete protocol."""
        return sum(map(self.repetitions_of, self.cells))

    @property
    def hash(self) -> str:
        """12 hexadecimal digits that change with anything a result depends on."""
        values = asdict(self)
        if not self.groups:  # hashed as before there were groups, so that older results stay comparable
            del values["groups"]
        text = json.dumps(values)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def trials(self, seed: int, n: int | None = None) -> list[Trial]:
        """The first `n` trials of the evaluation with `seed`, the complete protocol if `n` is None.

        The order is random but balanced: each pass over the grid visits every cell once, or where some groups
        are tried more often than others, in proportion. On a square grid of n x n cells, each n consecutive
        trials from the start visit every value of both axes once, so that an evaluation cut short is still
        spread over the grid. More trials than the protocol's are further passes.

        Raises:
            TheiaError: if `n` is below 1 or beyond the seeds of one evaluation.
        """
        count = self.trials_total if n is None else n
        if count < 1:
            raise TheiaError(f"an evaluation needs at least 1 trial, not {count}")
        trial_seed(seed, count - 1)
        random = np.random.default_rng([seed, int(self.hash, 16)])
        order: list[dict[str, CellValue]] = []
        while len(order) < count:
            order += self._one_pass(random)
        return [Trial(index, trial_seed(seed, index), cell) for index, cell in enumerate(order[:count])]

    def _one_pass(self, random: np.random.Generator) -> list[dict[str, CellValue]]:
        """Every cell once, or as often as its share of the repetitions asks, in balanced random order."""
        sizes = {len(values) for values in self.axes.values()}
        if len(self.axes) != 2 or len(sizes) != 1 or self.groups:
            common = math.gcd(*map(self.repetitions_of, self.cells))
            cells = [cell for cell in self.cells for _ in range(self.repetitions_of(cell) // common)]
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
