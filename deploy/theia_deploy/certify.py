"""Measure an engine against its checkpoint in float32, behind the library's own preprocessing."""

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from theia_core.analysis.cosine import token_cosine
from theia_core.analysis.norms import norm_entropy, token_norms
from theia_core.encoders import Encoder
from theia_core.engines.certificate import Certificate
from theia_core.engines.folder import CERTIFICATE, FRAMES, PAGE, POLICY, read_engine
from theia_core.engines.frame_policy import load_frame_policy
from theia_core.engines.opening import load_engine
from theia_core.errors import TheiaError
from theia_core.files import whole_file
from theia_core.policies import PolicyRuntime, load_policy, shipped_policies
from theia_core.policies.artefact import read_policy
from theia_core.runtimes.machine import machine_facts
from theia_deploy.certificate_page import WorstFrame, certificate_page
from theia_deploy.real_frames import RealFrames


def certify(
    folder: Path,
    checkpoint: Encoder,
    frames: RealFrames,
    *,
    policy: str | None = None,
    runtime: str = "auto",
    threads: int = 2,
) -> Certificate:
    """Measure the engine in `folder` and write its certificate, JSON and HTML, beside it.

    Args:
        folder: the engine's folder.
        checkpoint: the encoder in torch that it was made of.
        frames: what to measure on.
        policy: policy for the action error; by default the first shipped one trained on this encoder, and
            none if there is none.
        runtime: what runs it, as for `load_encoder`.
        threads: CPU threads of the engine.

    Returns:
        The certificate; whether it passes is for the caller to look at.

    Raises:
        TheiaError: if the engine is damaged, of another checkpoint or cannot run here, or the policy is of
            another encoder.
    """
    engine = read_engine(folder)
    if engine.checkpoint_sha256 != checkpoint.weights_sha256:
        raise TheiaError(
            f"the engine in {folder} was made of {engine.encoder_id}, not of {checkpoint.encoder_id}; give "
            "its own checkpoint, or export it again"
        )
    head = _policy_of(checkpoint.encoder_id, policy)
    measures: dict[str, dict[str, float]] = {}
    described: dict[str, str] = {}
    worst: WorstFrame | None = None
    for graph in engine.inputs:
        running = load_engine(folder, runtime, threads=threads, graph=graph, certified=False)
        described = running.runtime.describe()
        inputs = frames.inputs(engine.frame_size if graph == FRAMES else None)
        reference = _encode(checkpoint.encode, inputs, f"checkpoint, {graph}")
        tokens = _encode(running.encode, inputs, f"engine, {graph}")
        measures[graph] = token_measures(reference, tokens)
        of_camera = slice(len(frames.photos), None)
        if head is not None:
            wanted = _actions(head, reference[of_camera], frames.joints)
            measures[graph]["action_error"] = action_error(
                wanted, _actions(head, tokens[of_camera], frames.joints)
            )
        if worst is None:
            # Of the robot's own frames: a page that shows a photograph would have to carry its licence.
            cosine = token_cosine(reference[of_camera], tokens[of_camera])
            worst = WorstFrame.of(inputs[of_camera], cosine, engine.spec.grid)
    if engine.policy_id and head is not None and head.policy_id == engine.policy_id:
        joined = load_frame_policy(folder, threads=threads, certified=False)
        camera = frames.inputs(engine.frame_size)[len(frames.photos) :]
        wanted = _actions(head, _encode(checkpoint.encode, camera, "policy"), frames.joints)
        got = np.stack([joined.predict(f, j) for f, j in zip(camera, frames.joints, strict=True)])
        measures[POLICY] = {"action_error": action_error(wanted, got)}
    certificate = Certificate(
        encoder_id=engine.encoder_id,
        checkpoint_sha256=engine.checkpoint_sha256,
        precision=engine.precision,
        files=dict(engine.files),
        runtime=described,
        measures=measures,
        action_policy=head.policy_id if head else "",
        frames=frames.summary(),
        machine=machine_facts(),
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    certificate.write(folder / CERTIFICATE)
    with whole_file(folder / PAGE) as file:
        file.write(certificate_page(certificate, engine, worst).encode())
    return certificate


def token_measures(reference: np.ndarray, tokens: np.ndarray) -> dict[str, float]:
    """How far spatial tokens (B, N, d) are from the reference's; the keys of `certificate.MEANING`."""
    cosine = token_cosine(reference, tokens)
    centred = token_cosine(
        reference - reference.mean(1, keepdims=True), tokens - tokens.mean(1, keepdims=True)
    )
    measures = {}
    for name, values in (("cosine", cosine), ("centred_cosine", centred)):
        measures |= {
            f"{name}_mean": float(values.mean()),
            f"{name}_p0.1": float(np.quantile(values, 0.001)),
            f"{name}_min": float(values.min()),
        }
    entropies = [norm_entropy(token_norms(values)) for values in (reference, tokens)]
    return {
        **measures,
        "max_abs_error": float(np.abs(reference - tokens).max()),
        "norm_entropy_shift_nats": abs(entropies[1] - entropies[0]),
    }


def action_error(wanted: np.ndarray, got: np.ndarray) -> float:
    """RMS error of the worst dimension of actions (C, H, D), in that dimension's standard deviations."""
    error = np.sqrt(((got - wanted) ** 2).mean(axis=(0, 1)))
    return float((error / np.maximum(wanted.std(axis=(0, 1)), 1e-9)).max())


def _policy_of(encoder_id: str, name: str | None) -> PolicyRuntime | None:
    """The policy for the action error.

    Raises:
        TheiaError: if the one that was named is of another encoder.
    """
    if name is None:
        fitting = [
            folder
            for _, folder in sorted(shipped_policies().items())
            if read_policy(folder)["encoder_id"] == encoder_id
        ]
        return load_policy(fitting[0]) if fitting else None
    policy = load_policy(name)
    policy.check_encoder(encoder_id)
    return policy


def _encode(encode: Callable[..., Any], frames: list[np.ndarray], label: str) -> np.ndarray:
    """Spatial tokens (B, N, d) float32 of frames of any sizes."""
    bar = tqdm(frames, desc=f"certify, {label}", unit="frame", leave=False, disable=None)
    return np.concatenate([encode(frame) for frame in bar])


def _actions(policy: PolicyRuntime, tokens: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Chunks (C, H, D) of tokens as they go over the wire, in float16."""
    pairs = zip(tokens.astype(np.float16), joints, strict=True)
    return np.stack([policy.predict(one, state) for one, state in pairs])
