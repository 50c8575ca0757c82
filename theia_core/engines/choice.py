"""Which runtime is the fastest for an encoder on this machine: measured once, remembered afterwards."""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from theia_core.cache import cache_folder
from theia_core.encoders.encoder import Encoder
from theia_core.encoders.registry import load_encoder, runs_on_torch
from theia_core.engines.folder import DESCRIPTION, is_engine, read_description
from theia_core.engines.opening import ONNX_RUNTIMES, load_engine
from theia_core.errors import TheiaError
from theia_core.files import write_json
from theia_core.runtimes.gpu import gpu_name
from theia_core.runtimes.machine import machine_facts

ROUNDS, WARM_UP = 9, 2
# Another runtime must save a tenth of the plain one's time to be chosen over it: less is noise.
WORTHWHILE = 0.9


@dataclass(frozen=True)
class Choice:
    """What was chosen and why.

    Attributes:
        runtime: label of the chosen candidate: a runtime's name, or "KIND engine FOLDER".
        measured_ms: label -> median time of one encoding, for those that ran; empty with one candidate only.
        refused: label -> why it could not be used.
        remembered: whether the choice was made at an earlier start.
    """

    runtime: str
    measured_ms: dict[str, float] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    remembered: bool = False

    def __str__(self) -> str:
        """One line for a log."""
        times = ", ".join(f"{label} {ms:.1f} ms" for label, ms in self.measured_ms.items())
        how = "chosen at an earlier start" if self.remembered else "measured now"
        return f"{self.runtime} ({how}: {times})" if times else f"{self.runtime} (the only one)"


def choose_encoder(
    name_or_path: str | Path,
    frame_size: tuple[int, int],
    *,
    threads: int = 2,
    batch: int = 1,
    engines: Path | None = None,
    memory: Path | None = None,
) -> tuple[Encoder, Choice]:
    """Load an encoder on the runtime that encodes this machine's frames the fastest.

    An engine that is named is what is used. For an encoder, candidates are onnxruntime and torch, on the CPU
    and on a GPU if there is one, and every engine of this encoder in `engines` whose certificate holds here.
    They are timed in turn, so that what else the machine does meets all of them. The choice is remembered for
    the same encoder, frames, machine, versions and candidates.

    Args:
        name_or_path: as for `load_encoder`.
        frame_size: (H, W) of the camera's frames.
        threads: CPU threads of the network.
        batch: frames that are encoded at once.
        engines: folder searched for engines; by default $THEIA_CACHE/engines, where `theia export` puts them.
        memory: JSON file of remembered choices; by default in the same cache.

    Raises:
        TheiaError: if the encoder cannot be loaded at all.
    """
    # Loaded first, so that an unknown or broken encoder is an error and not a refused candidate.
    plain = load_encoder(name_or_path, threads=threads)
    named_engine = is_engine(Path(name_or_path))
    folder = engines or cache_folder("engines")
    candidates = {} if named_engine else _candidates(name_or_path, plain, threads, folder)
    labels = [plain.runtime.name, *candidates]
    if not candidates:
        return plain, Choice(plain.runtime.name)
    memory = memory or cache_folder("runtime_choices.json")
    key = _key(plain, frame_size, threads, batch, labels)
    known = _remembered(memory)
    if (entry := known.get(key)) and entry["runtime"] in labels:
        choice = Choice(entry["runtime"], entry["measured_ms"], entry["refused"], remembered=True)
        if choice.runtime == plain.runtime.name:
            return plain, choice
        try:
            return candidates[choice.runtime](), choice
        except TheiaError:
            pass  # it was usable and is not any more: measure again
    loaded, refused = {plain.runtime.name: plain}, {}
    for label, load in candidates.items():
        try:
            loaded[label] = load()
            loaded[label].warm_up(*frame_size, frames=WARM_UP)
        except TheiaError as error:
            loaded.pop(label, None)
            refused[label] = str(error)
    measured = measure(loaded, frame_size, batch)
    best = min(measured, key=lambda label: measured[label])
    if measured[best] > WORTHWHILE * measured[plain.runtime.name]:
        best = plain.runtime.name
    choice = Choice(best, measured, refused)
    entry = {"runtime": best, "measured_ms": measured, "refused": refused}
    with contextlib.suppress(OSError):  # where nothing can be written it is measured at every start
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_json(memory, {**_remembered(memory), key: entry})
    return loaded[best], choice


def measure(
    encoders: dict[str, Encoder], frame_size: tuple[int, int], batch: int = 1, rounds: int = ROUNDS
) -> dict[str, float]:
    """Median milliseconds of one encoding of `batch` frames for each encoder, timed in turn."""
    frames = np.random.default_rng(0).integers(0, 256, (batch, *frame_size, 3), np.uint8)
    times: dict[str, list[float]] = {label: [] for label in encoders}
    for encoder in encoders.values():
        encoder.encode(frames)
    for _ in range(rounds):
        for label, encoder in encoders.items():
            started_s = time.perf_counter()
            encoder.encode(frames)
            times[label].append((time.perf_counter() - started_s) * 1000)
    return {label: round(float(np.median(values)), 2) for label, values in times.items()}


def _candidates(
    name_or_path: str | Path, plain: Encoder, threads: int, engines: Path
) -> dict[str, Callable[[], Encoder]]:
    """Label -> loader of everything but the plain encoder that might run it here."""
    found: dict[str, Callable[[], Encoder]] = {}
    names = ["torch"] if find_spec("torch") and runs_on_torch(name_or_path) else []
    if gpu_name() is not None:
        names += ["torch-cuda"] * len(names)
        if plain.runtime.name == "onnxruntime":
            available = onnxruntime.get_available_providers()
            names += [name for name, provider in ONNX_RUNTIMES.items() if provider in available]
    for name in names:
        if name != plain.runtime.name:
            found[name] = _loader(name_or_path, name, threads)
    for path in sorted(engines.rglob(DESCRIPTION)) if engines.is_dir() else []:
        folder = path.parent
        try:
            description = read_description(folder)
        except TheiaError:
            continue  # of another version of this library; it would be refused anyway
        if description.checkpoint_sha256 != plain.weights_sha256:
            continue
        # The label carries what the engine is, so that another one under this name is measured anew.
        digest = hashlib.sha256(json.dumps(dict(description.files), sort_keys=True).encode()).hexdigest()
        found[f"{description.kind} engine {folder.name}@{digest[:8]}"] = _engine_loader(folder, threads)
    return found


def _loader(name_or_path: str | Path, runtime: str, threads: int) -> Callable[[], Encoder]:
    return lambda: load_encoder(name_or_path, runtime, threads=threads)


def _engine_loader(folder: Path, threads: int) -> Callable[[], Encoder]:
    return lambda: load_engine(folder, threads=threads)


def _key(plain: Encoder, frame_size: tuple[int, int], threads: int, batch: int, labels: list[str]) -> str:
    facts = machine_facts()
    torch = version_of("torch") if "torch" in labels else ""
    parts: list[Any] = [plain.describe(), list(frame_size), threads, batch, labels, torch]
    parts.append([facts[name] for name in ("cpu", "instructions", "cores", "gpu")])
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def version_of(package: str) -> str:
    """Version of an installed package, without importing it; empty if it is absent."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _remembered(memory: Path) -> dict[str, Any]:
    """All remembered choices; a damaged file is as good as none."""
    try:
        values = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
