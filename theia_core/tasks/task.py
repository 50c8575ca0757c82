"""What a task is."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from theia_core.errors import TheiaError
from theia_core.tasks.protocol import CellValue, Protocol
from theia_core.tasks.seeds import FIRST_TRIAL_SEED


@dataclass(frozen=True)
class Camera:
    """A camera that the policy sees through.

    Attributes:
        name: what simulators and recordings call it.
        topic: ROS topic of its raw images (sensor_msgs/Image, rgb8).
        width: pixels.
        height: pixels.
        rate_hz: frames per second it must give.
    """

    name: str
    topic: str
    width: int
    height: int
    rate_hz: float


@dataclass(frozen=True)
class TrainingRange:
    """How a scene parameter is drawn for demonstrations.

    Attributes:
        low: smallest value.
        high: largest value; values are uniform in between.
        keep_away: half width of the band around each value of the protocol. A scene whose every parameter
            lies in such a band is drawn again.
    """

    low: float
    high: float
    keep_away: float


@dataclass(frozen=True)
class TrainingChoice:
    """Which values of a scene parameter demonstrations show, in turn: equally often over consecutive seeds.

    Attributes:
        values: the values. Being one of the protocol's does not make a scene an evaluation pose.
    """

    values: tuple[CellValue, ...]


@dataclass(frozen=True)
class Task:
    """One task as data.

    Attributes:
        id: short name used on the command line and in file names.
        title: name for people.
        instruction: the task in one imperative sentence.
        robot: name of the robot profile.
        action_space: name of the action space (theia_core.actions.spaces).
        chunk_horizon: actions that the policy predicts at once.
        cameras: what the policy sees through.
        protocol: how the task is evaluated; also holds the stages and the time limit.
        training: how each axis of the protocol is drawn for demonstrations.
        paper: successes and trials of each stage on the paper's real robot with Theia-B (Table 2).
    """

    id: str
    title: str
    instruction: str
    robot: str
    action_space: str
    chunk_horizon: int
    cameras: tuple[Camera, ...]
    protocol: Protocol
    training: Mapping[str, TrainingRange | TrainingChoice]
    paper: Mapping[str, tuple[int, int]]

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages, from first to last."""
        return tuple(self.protocol.stages)

    @property
    def horizon_steps(self) -> int:
        """Time limit of a trial or demonstration in control steps."""
        return self.protocol.horizon_steps

    @property
    def control_rate_hz(self) -> float:
        """Control steps per second."""
        return self.protocol.control_rate_hz

    def is_evaluation_pose(self, params: Mapping[str, CellValue]) -> bool:
        """Whether the scene lies within the keep-away band of a protocol cell in every ranged parameter.

        Never where the protocol fixes no pose; what differs then is the scene's seed.
        """
        ranges = {name: r for name, r in self.training.items() if isinstance(r, TrainingRange)}
        return bool(ranges) and all(
            min(abs(float(params[name]) - float(value)) for value in self.protocol.axes[name]) < r.keep_away
            for name, r in ranges.items()
        )

    def sample_training_params(self, seed: int) -> dict[str, CellValue]:
        """Scene parameters of the training episode with this seed; a function of the seed alone.

        Values are uniform over the training ranges and take turns over the training choices. A draw near an
        evaluation pose (`is_evaluation_pose`) is rejected, so no demonstration shows a scene of the protocol.

        Raises:
            TheiaError: if `seed` is no training seed.
        """
        if not 0 <= seed < FIRST_TRIAL_SEED:
            raise TheiaError(
                f"seed {seed} is no training seed; those are 0 to {FIRST_TRIAL_SEED - 1} (train_seed)"
            )
        random = np.random.default_rng([seed, *self.id.encode()])
        while True:
            params = {name: _draw(spread, seed, random) for name, spread in self.training.items()}
            if not self.is_evaluation_pose(params):
                return params


def _draw(spread: TrainingRange | TrainingChoice, seed: int, random: np.random.Generator) -> CellValue:
    """A value of one parameter for the training episode with this seed."""
    if isinstance(spread, TrainingChoice):
        return spread.values[seed % len(spread.values)]
    return float(random.uniform(spread.low, spread.high))
