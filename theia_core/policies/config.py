"""Architecture of a behaviour-cloning policy, as numbers that torch, ONNX and JSON agree on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from theia_core.errors import TheiaError

# Kernel, stride and padding of the neck's three convolutions (paper, Table 8).
NECK_LAYERS = ((4, 2, 1), (3, 2, 0), (3, 1, 0))


@dataclass(frozen=True)
class PolicyConfig:
    """Neck and MLP on spatial tokens and joint state (paper, Tables 8 and 9).

    Attributes:
        grid: (h, w) of the spatial tokens.
        channels: width d of a token.
        joints: length of the joint state.
        horizon: actions H in a chunk.
        action_dim: length D of an action.
        neck_channels: channels of each neck convolution.
        hidden: width of the MLP's hidden layers.
        neck_norm: layer normalisation after each neck convolution.
        dropout: probability of dropping a value of the MLP's hidden layers while training.
    """

    grid: tuple[int, int]
    channels: int
    joints: int = 7
    horizon: int = 10
    action_dim: int = 7
    neck_channels: int = 256
    hidden: int = 256
    neck_norm: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse sizes from which no network can be built."""
        sizes = (self.channels, self.joints, self.horizon, self.action_dim, self.neck_channels, self.hidden)
        if min(sizes) < 1:
            raise TheiaError(f"every size of {self} must be at least 1")
        if not 0 <= self.dropout < 1:
            raise TheiaError(f"dropout is {self.dropout}; give a probability below 1")
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

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PolicyConfig":
        """Config from plain JSON values."""
        return cls(**{**values, "grid": (int(values["grid"][0]), int(values["grid"][1]))})

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {**asdict(self), "grid": list(self.grid)}
