"""Write a fine-tuned policy with the encoder that learned with it, and compare both with torch."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from theia_core.encoders import Encoder, load_encoder
from theia_core.encoders.theia_checkpoint import save_theia_checkpoint
from theia_core.errors import TheiaError
from theia_core.policies import PolicyRuntime
from theia_core.policies.artefact import OWN_ENCODER
from theia_training.cloning.export_policy import (
    LARGEST_PARITY_ERROR,
    expected_actions,
    export_policy,
    parity_error,
)
from theia_training.cloning.method import Method
from theia_training.cloning.pixel_policy import PixelPolicy
from theia_training.export_theia import export_theia
from theia_training.parity import measure_parity


def export_finetuned(
    folder: Path,
    method: Method,
    model: PixelPolicy,
    start: Encoder,
    description: dict[str, Any],
    frames: np.ndarray,
    joints: np.ndarray,
) -> None:
    """Write the encoder into `folder`/encoder and the policy into `folder`.

    Args:
        folder: the policy's folder.
        method: its kind.
        model: trained network in eval mode.
        start: the encoder from which the training started.
        description: entries of policy.json, but for the encoder's.
        frames: (B, S, S, 3) uint8 held-out frames on which the export is compared with torch.
        joints: (B, J) the robot's state at these frames.

    Raises:
        TheiaError: if what the robot would run does not do what was trained.
    """
    task = description["task"]
    name = start.spec.name if start.spec.name.endswith(f"-{task}") else f"{start.spec.name}-{task}"
    own = folder / OWN_ENCODER
    with tempfile.TemporaryDirectory(dir=folder, prefix=".encoder-") as temporary:
        save_theia_checkpoint(model.encoder, Path(temporary))
        export_theia(
            Path(temporary),
            own,
            name,
            start.spec.licence,
            f"{start.encoder_id}, fine-tuned by behaviour cloning on demonstrations of the task {task!r}; "
            f"before that: {start.spec.source}",
            translators=False,
            notes=_encoder_notes(start, description),
        )
    exported = load_encoder(own, threads=1)
    with torch.inference_mode():
        reference = model.tokens(torch.from_numpy(start.spec.preprocessing.apply(frames)))
    expected = expected_actions(method, model.head, reference.numpy(), joints, description["action_space"])
    tokens = exported.encode(frames)

    def compare(policy: PolicyRuntime) -> dict[str, Any]:
        # As on the robot: tokens travel as float16.
        error = parity_error(policy, model.head, tokens.astype(np.float16), joints, expected)
        if not error < LARGEST_PARITY_ERROR:
            raise TheiaError(
                f"exported encoder and policy differ from torch by {error:.3g} standard deviations of an "
                "action on held-out frames: the weights do not fit float16; train with a lower learning rate"
            )
        parity = measure_parity(reference.numpy(), tokens)
        return {"parity_from_pixels": {"frames": len(frames), "actions": error, "tokens": parity}}

    entries = {
        **description,
        "encoder": OWN_ENCODER,
        "encoder_id": exported.encoder_id,
        "encoder_licence": start.spec.licence,
        "config": model.head.config.to_dict(),
    }
    export_policy(folder, method, model.head, entries, tokens[:1].astype(np.float16), joints[:1], compare)


def _encoder_notes(start: Encoder, description: dict[str, Any]) -> str:
    training = description["training"]
    settings = training["finetuning"]
    factor = settings["learning_rate_factor"]
    return f"""## Made for one policy

This encoder is part of the policy in the folder above it. It began as `{start.encoder_id}` and
learned with that policy on {training["episodes"]} episodes ({training["steps"]} steps) of the task
"{description["task"]}": the last {settings["blocks"]} of its 12 blocks, at {factor:g} of the policy's
learning rate, in {settings["precision"]}. Its tokens are no longer those of a general encoder: nothing is
claimed of them beyond this task, and the translators of the start do not fit them.
"""
