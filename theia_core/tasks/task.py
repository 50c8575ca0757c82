"""What a task is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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

    def is_near(self, value: "DrawnValue", tried: Sequence[CellValue]) -> bool:
        """Whether a value lies in the band of one that the protocol tries."""
        return min(abs(float(value) - float(other)) for other in tried) < self.keep_away  # type: ignore[arg-type]


@dataclass(frozen=True)
class TrainingArea:
    """How the place of a thing is drawn for demonstrations: uniformly from a rectangle.

    Attributes:
        low_m: the rectangle's corner with the smallest x and y.
        high_m: the one with the largest.
        places_m: the protocol's places by their names, which are its values of this parameter.
        keep_away_m: radius of the disc around each of these places that no demonstration uses.
    """

    low_m: tuple[float, float]
    high_m: tuple[float, float]
    places_m: Mapping[str, tuple[float, float]]
    keep_away_m: float

    def is_near(self, value: "DrawnValue", tried: Sequence[CellValue]) -> bool:
        """Whether a place, (x, y) or a name, lies in the disc of one that the protocol tries."""
        x_m, y_m = self.place_m(value)
        others = [self.places_m[str(name)] for name in tried]
        return min(math.hypot(x_m - x, y_m - y) for x, y in others) < self.keep_away_m

    def place_m(self, value: "DrawnValue") -> tuple[float, float]:
        """The place (x, y) [m] of a drawn value, (x, y) itself or the name of one of the protocol's."""
        x_m, y_m = self.places_m[value] if isinstance(value, str) else value  # type: ignore[misc]
        return x_m, y_m


@dataclass(frozen=True)
class TrainingChoice:
    """Which values of a scene parameter demonstrations show, in turn: equally often over consecutive seeds.

    Attributes:
        values: the values. Being one of the protocol's does not make a scene an evaluation pose.
    """

    values: tuple[CellValue, ...]


Spread = TrainingRange | TrainingArea | TrainingChoice
DrawnValue = CellValue | tuple[float, float]


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
        paper_finetuned: those with a fine-tuned encoder, where the paper has both.
        demonstrations: how many the paper's policies learned from.
        reset: what the operator does before each trial on the robot, step by step.
        policy_kind: kind of policy that `theia train` makes, as in `theia_core.policies.artefact`.
    """

    id: str
    title: str
    instruction: str
    robot: str
    action_space: str
    chunk_horizon: int
    cameras: tuple[Camera, ...]
    protocol: Protocol
    training: Mapping[str, Spread]
    paper: Mapping[str, tuple[int, int]]
    demonstrations: int
    paper_finetuned: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    reset: tuple[str, ...] = ()
    policy_kind: str = "bc_mlp"

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

    def is_evaluation_pose(self, params: Mapping[str, DrawnValue]) -> bool:
        """Whether the scene is within keep-away of a protocol cell in every parameter that is a pose.

        Never where the protocol fixes no pose; what differs then is the scene's seed.
        """
        posed = {name: s for name, s in self.training.items() if not isinstance(s, TrainingChoice)}
        return bool(posed) and all(
            spread.is_near(params[name], self.protocol.axes[name]) for name, spread in posed.items()
        )

    def sample_training_params(self, seed: int) -> dict[str, DrawnValue]:
        """Scene parameters of the training episode with this seed; a function of the seed alone.

        Values are uniform over ranges and areas, and take turns over choices. A draw near an evaluation pose
        (`is_evaluation_pose`) is rejected, so no demonstration shows a scene of the protocol.

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


def _draw(spread: Spread, seed: int, random: np.random.Generator) -> DrawnValue:
    """A value of one parameter for the training episode with this seed."""
    if isinstance(spread, TrainingChoice):
        return spread.values[seed % len(spread.values)]
    if isinstance(spread, TrainingArea):
        x_m, y_m = random.uniform(spread.low_m, spread.high_m)
        return float(x_m), float(y_m)
    return float(random.uniform(spread.low, spread.high))
