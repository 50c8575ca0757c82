"""What is known about an encoder before its weights are loaded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theia_core.errors import TheiaError
from theia_core.images import Preprocessing


@dataclass(frozen=True)
class EncoderSpec:
    """Name, layout of the tokens and origin of an encoder.

    Attributes:
        name: name in the registry.
        grid: (h, w) of the spatial tokens at the native resolution, row-major.
        channels: width d of a token.
        preprocessing: how a camera frame becomes the network's input.
        licence: licence of the weights.
        description: one sentence for people.
        special_tokens: tokens in front of the spatial ones (CLS and registers), 0 for a convolutional
            network.
        has_cls: whether the first special token is a CLS token.
        source: where the weights come from.
    """

    name: str
    grid: tuple[int, int]
    channels: int
    preprocessing: Preprocessing
    licence: str
    description: str
    special_tokens: int = 0
    has_cls: bool = False
    source: str = ""

    @property
    def tokens(self) -> int:
        """Number of spatial tokens N."""
        return self.grid[0] * self.grid[1]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "EncoderSpec":
        """Spec from an `encoder.json`; entries that are not about the encoder's layout are left alone."""
        return cls(
            name=str(values["name"]),
            grid=(int(values["grid"][0]), int(values["grid"][1])),
            channels=int(values["channels"]),
            preprocessing=Preprocessing.from_dict(values["preprocessing"]),
            licence=str(values["licence"]),
            description=str(values["description"]),
            special_tokens=int(values.get("special_tokens", 0)),
            has_cls=bool(values.get("has_cls", False)),
            source=str(values.get("source", "")),
        )

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {
            "name": self.name,
            "grid": list(self.grid),
            "channels": self.channels,
            "preprocessing": self.preprocessing.to_dict(),
            "licence": self.licence,
            "description": self.description,
            "special_tokens": self.special_tokens,
            "has_cls": self.has_cls,
            "source": self.source,
        }


def read_encoder_json(folder: Path) -> tuple[EncoderSpec, dict[str, Any]]:
    """Spec and all entries of a folder's `encoder.json`.

    Raises:
        TheiaError: if the file is absent, is not JSON or lacks an entry.
    """
    path = folder / "encoder.json"
    try:
        values = json.loads(path.read_text())
        return EncoderSpec.from_dict(values), values
    except OSError as error:
        raise TheiaError(f"{folder} is not an encoder's folder: it has no readable encoder.json") from error
    except KeyError as error:
        raise TheiaError(f"{path} lacks the entry {error}; export the encoder again") from error
    except (ValueError, TypeError, IndexError) as error:
        raise TheiaError(
            f"{path} is not a valid encoder description ({error}); export the encoder again"
        ) from error
