"""The parity certificate: what was measured of an engine against its checkpoint, and who may rely on it.

A certificate is valid for the very files whose hashes it names, and for the runtime, its version and the
device on which it was measured. Whether it passes is worked out from its measures when it is read, not from
a word in the file.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from theia_core.engines.folder import CERTIFICATE, POLICY, EngineDescription
from theia_core.errors import TheiaError
from theia_core.files import write_json

FORMAT = 1

AT_LEAST, AT_MOST = "at least", "at most"
MEANING = {
    "cosine_mean": "cosine of a token to the checkpoint's, mean",
    "cosine_p0.1": "the same, lowest tenth of a percent",
    "cosine_min": "the same, lowest of all",
    "centred_cosine_mean": "cosine after the image's mean token is taken from both, mean",
    "centred_cosine_p0.1": "the same, lowest tenth of a percent",
    "centred_cosine_min": "the same, lowest of all",
    "max_abs_error": "largest difference of one value of one token",
    "norm_entropy_shift_nats": "change of the entropy of token norms [nats]",
    "action_error": "RMS error of the worst action dimension, in its standard deviations",
}
# By precision: measure -> (direction, limit). For what each means see docs/deployment.md.
LIMITS: dict[str, dict[str, tuple[str, float]]] = {
    "fp32": {
        "cosine_min": (AT_LEAST, 0.9999),
        "centred_cosine_min": (AT_LEAST, 0.9999),
        "max_abs_error": (AT_MOST, 1e-3),
        "norm_entropy_shift_nats": (AT_MOST, 0.01),
        "action_error": (AT_MOST, 0.005),
    },
    "fp16": {
        "cosine_min": (AT_LEAST, 0.999),
        "centred_cosine_mean": (AT_LEAST, 0.9995),
        "centred_cosine_min": (AT_LEAST, 0.995),
        "norm_entropy_shift_nats": (AT_MOST, 0.05),
        "action_error": (AT_MOST, 0.02),
    },
    "int8": {
        "cosine_mean": (AT_LEAST, 0.99),
        "cosine_min": (AT_LEAST, 0.90),
        "centred_cosine_mean": (AT_LEAST, 0.985),
        "centred_cosine_p0.1": (AT_LEAST, 0.93),
        "norm_entropy_shift_nats": (AT_MOST, 0.1),
        "action_error": (AT_MOST, 0.05),
    },
}


@dataclass(frozen=True)
class Certificate:
    """Measures of one engine.

    Attributes:
        encoder_id: name@hash of the checkpoint's encoder.
        checkpoint_sha256: hex sha256 of the checkpoint's weights.
        precision: the engine's.
        files: file -> hex sha256 of the engine's files.
        runtime: what ran it, as `EncoderRuntime.describe` says.
        measures: graph ("images", "frames" or "policy") -> measure -> value; of "policy" only its actions.
        action_policy: policy through which the action error was measured; empty if there was none.
        frames: what it was measured on: numbers of frames, where they came from, a hash of their pixels.
        machine: what measured it, for people.
        made: when, for people.
    """

    encoder_id: str
    checkpoint_sha256: str
    precision: str
    files: Mapping[str, str]
    runtime: Mapping[str, str]
    measures: Mapping[str, Mapping[str, float]]
    action_policy: str = ""
    frames: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    made: str = ""

    def failures(self) -> list[str]:
        """What is beyond its limit, one sentence part each; empty if it passes."""
        if self.precision not in LIMITS:
            return [f"precision {self.precision!r} has no limits"]
        if not self.measures:
            return ["nothing was measured"]
        found = []
        for graph, values in self.measures.items():
            for measure, (direction, limit) in LIMITS[self.precision].items():
                of_actions = measure == "action_error"
                if (of_actions and not self.action_policy) or (graph == POLICY and not of_actions):
                    continue
                value = values.get(measure, float("nan"))
                # Written so that a NaN fails.
                if not (value >= limit if direction == AT_LEAST else value <= limit):
                    found.append(f"{measure} of {graph} is {value:.5g}, {direction} {limit:g} is needed")
        return found

    @property
    def passed(self) -> bool:
        """Whether every measure is within its limit."""
        return not self.failures()

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(path, {"format": FORMAT, "passed": self.passed, **asdict(self)})

    def covers(self, engine: EngineDescription) -> bool:
        """Whether it was measured on these very files, made of this very checkpoint."""
        return (
            self.checkpoint_sha256 == engine.checkpoint_sha256
            and self.encoder_id == engine.encoder_id
            and all(self.files.get(name) == sha for name, sha in engine.files.items())
        )


def read_certificate(path: Path) -> Certificate:
    """A certificate.

    Raises:
        TheiaError: if it is absent or damaged.
    """
    try:
        values: dict[str, Any] = json.loads(path.read_text())
        if values.pop("format") != FORMAT:
            raise ValueError(f"format is not {FORMAT}")
        values.pop("passed", None)
        return Certificate(**values)
    except OSError as error:
        raise TheiaError(f"there is no readable certificate at {path} ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TheiaError(f"{path} is not a certificate ({error}); run theia certify again") from error


def check_certificate(
    folder: Path, engine: EngineDescription, graph: str, runtime: Mapping[str, str]
) -> None:
    """Make sure that the engine in `folder` is proven to be its encoder, here and now.

    Args:
        folder: the engine's.
        engine: what it is, its files' hashes compared already.
        graph: which of its graphs is used.
        runtime: what runs it, as `EncoderRuntime.describe` says.

    Raises:
        TheiaError: if it has no certificate, one of other files, runtime, version or device, one that does
            not pass, or one that says nothing of this graph.
    """
    again = f"certify it on this machine: theia certify {folder}"
    path = folder / CERTIFICATE
    if not path.is_file():
        raise TheiaError(f"the engine in {folder} has no certificate, so it is not used; {again}")
    certificate = read_certificate(path)
    if not certificate.covers(engine):
        other = next(
            (name for name, sha in engine.files.items() if certificate.files.get(name) != sha), "checkpoint"
        )
        raise TheiaError(
            f"the certificate in {folder} is of another {other}, by its sha256, so the engine is not used; "
            f"{again}"
        )
    for entry, have in runtime.items():
        if (certified := certificate.runtime.get(entry)) != have:
            raise TheiaError(
                f"the engine in {folder} is certified for {entry} {certified}, here it is {have}, so it is "
                f"not used; {again}"
            )
    if graph not in certificate.measures:
        raise TheiaError(f"the certificate in {folder} says nothing of its {graph} graph; {again}")
    if failures := certificate.failures():
        raise TheiaError(
            f"the engine in {folder} failed its certificate, so it is not used: {failures[0]}; use another "
            "precision"
        )
