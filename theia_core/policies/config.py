"""Architecture of a policy, as numbers that torch, ONNX and JSON agree on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from theia_core.errors import TheiaError
from theia_core.policies.noise import NoiseSchedule

# Kernel, stride and padding of the neck's three convolutions (paper, Table 8).
NECK_LAYERS = ((4, 2, 1), (3, 2, 0), (3, 1, 0))
_Config = TypeVar("_Config", bound="TokenConfig")


@dataclass(frozen=True)
class TokenConfig:
    """What all policies on spatial tokens have: inputs, a chunk of actions, and the neck (paper, Table 8).

    Attributes:
        grid: (h, w) of the spatial tokens.
        channels: width d of a token.
        joints: length of the robot's state.
        horizon: actions H in a chunk.
        action_dim: length D of an action.
        neck_channels: channels of each neck convolution.
        neck_norm: layer normalisation after each neck convolution.
    """

    grid: tuple[int, int]
    channels: int
    joints: int = 7
    horizon: int = 10
    action_dim: int = 7
    neck_channels: int = 256
    neck_norm: bool = True

    def __post_init__(self) -> None:
        """Refuse sizes from which no network can be built."""
        if min(self.channels, self.joints, self.horizon, self.action_dim, self.neck_channels) < 1:
            raise TheiaError(f"every size of {self} must be at least 1")
        if min(self.neck_sizes[-1]) < 1:
            raise TheiaError(
                f"a token grid of {self.grid[0]}x{self.grid[1]} is too small for the neck; give 12x12 or more"
            )

    @property
    def neck_sizes(self) -> tuple[tuple[int, int], ...]:
        """(h, w) behind each neck convolution; (7, 7), (3, 3), (1, 1) for 14x14 tokens."""
        sizes = []
        height, width = self.grid
        for kernel, stride, padding in NECK_LAYERS:
            height = (height + 2 * padding - kernel) // stride + 1
            width = (width + 2 * padding - kernel) // stride + 1
            sizes.append((height, width))
        return tuple(sizes)

    @property
    def neck_features(self) -> int:
        """Length of the neck's output."""
        height, width = self.neck_sizes[-1]
        return self.neck_channels * height * width

    @classmethod
    def from_dict(cls: type[_Config], values: Mapping[str, Any]) -> _Config:
        """Config from plain JSON values."""
        return cls(**{**values, "grid": (int(values["grid"][0]), int(values["grid"][1]))})

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {**asdict(self), "grid": list(self.grid)}


@dataclass(frozen=True)
class PolicyConfig(TokenConfig):
    """A behaviour-cloning policy: neck and MLP (paper, Tables 8 and 9).

    Attributes:
        hidden: width of the MLP's hidden layers.
        dropout: probability of dropping a value of the MLP's hidden layers while training.
    """

    hidden: int = 256
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse sizes from which no network can be built."""
        super().__post_init__()
        if self.hidden < 1:
            raise TheiaError(f"every size of {self} must be at least 1")
        _check_dropout(self.dropout)


@dataclass(frozen=True)
class DiffusionConfig(TokenConfig):
    """A diffusion policy: neck, and a denoiser of the whole chunk (paper, Tables 8 and 10).

    Attributes:
        width: width of the denoiser's layers.
        blocks: residual blocks of the denoiser.
        dropout: probability of dropping a value inside of these blocks while training.
        noise: how noise grows in training, and what the denoiser predicts.
        inference_steps: denoising steps of one prediction.
        base: for each value of an action the place in the robot's state of what it would be if the robot
            stayed where it is; chunks are then learned as departures from there. Empty for none.
    """

    joints: int = 17
    horizon: int = 4
    action_dim: int = 10
    neck_channels: int = 128
    width: int = 176
    blocks: int = 3
    dropout: float = 0.0
    noise: NoiseSchedule = field(default_factory=NoiseSchedule)
    inference_steps: int = 10
    base: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse sizes from which no network can be built, and more inference than training steps.

        Raises:
            TheiaError: saying which.
        """
        super().__post_init__()
        if min(self.width, self.blocks) < 1:
            raise TheiaError(f"every size of {self} must be at least 1")
        _check_dropout(self.dropout)
        self.noise.check_steps(self.inference_steps)
        if not self.base:
            return
        if len(self.base) != self.action_dim or not all(0 <= place < self.joints for place in self.base):
            raise TheiaError(
                f"base {self.base} must name {self.action_dim} places in a state of {self.joints} values"
            )
        if self.noise.prediction != "sample":
            raise TheiaError(
                f"only chunks are departures from a base, and the denoiser predicts {self.noise.prediction}; "
                "leave base empty, or predict sample"
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DiffusionConfig":
        """Config from plain JSON values."""
        noise, base = NoiseSchedule(**values["noise"]), tuple(values["base"])
        return super().from_dict({**values, "noise": noise, "base": base})


def _check_dropout(dropout: float) -> None:
    if not 0 <= dropout < 1:
        raise TheiaError(f"dropout is {dropout}; give a probability below 1")
