"""Shape of a teacher's features."""

from dataclasses import dataclass

from theia_core.errors import TheiaError


@dataclass(frozen=True)
class FeatureSize:
    """A teacher's feature map: channels, height and width."""

    channels: int
    height: int
    width: int

    def __post_init__(self) -> None:
        """Refuse an empty map."""
        if min(self.channels, self.height, self.width) < 1:
            raise TheiaError(f"{self} is empty; a teacher's feature size needs three positive numbers")
