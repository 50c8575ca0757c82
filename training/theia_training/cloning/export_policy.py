"""Write a trained policy as the folder that the robot loads: graph, weights, description and model card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from theia_core.errors import TheiaError
from theia_core.policies import PolicyRuntime, load_policy
from theia_core.policies.artefact import GRAPH, WEIGHTS, write_description
from theia_core.policies.bc_mlp import BcMlp
from theia_core.runtimes.safetensors_graph import write_graph_over_safetensors
from theia_training.onnx_graph import to_onnx

# Half-precision weights may move a unit-variance action by this much at most.
LARGEST_PARITY_ERROR = 0.05


def export_policy(
    folder: Path,
    model: BcMlp,
    description: dict[str, Any],
    tokens: np.ndarray,
    measure: Callable[[PolicyRuntime], dict[str, Any]] = lambda policy: {},
) -> float:
    """Write `model` into `folder` and compare what the robot will run with torch.

    Args:
        folder: receives policy.onnx, policy.safetensors, policy.json and README.md.
        model: trained policy in eval mode.
        description: entries of policy.json.
        tokens: (1, N, d) real tokens for the comparison.
        measure: gives more entries of policy.json from the exported policy.

    Returns:
        Largest difference of onnxruntime with float16 weights from torch in float32, in standard deviations
        of an action.

    Raises:
        TheiaError: if that difference is above `LARGEST_PARITY_ERROR`.
    """
    height, width = model.config.grid
    examples = (torch.zeros(2, height * width, model.config.channels), torch.zeros(2, model.config.joints))
    graph = to_onnx(model, examples, ("tokens", "joints"), "actions")
    write_graph_over_safetensors(graph, folder / GRAPH, folder / WEIGHTS, {"policy": description["name"]})
    write_description(folder, description)
    joints = model.joint_mean.numpy()
    with torch.inference_mode():
        expected = model(torch.from_numpy(tokens).float(), torch.from_numpy(joints[None]))[0].numpy()
    expected[:, -1] = expected[:, -1].clip(0, 1)
    policy = load_policy(folder)
    error = float(np.abs((policy.predict(tokens[0], joints) - expected) / model.action_std.numpy()).max())
    if not error < LARGEST_PARITY_ERROR:
        raise TheiaError(
            f"the exported policy differs from torch by {error:.3g} standard deviations: its weights do not "
            "fit float16; train it again with a lower learning rate"
        )
    write_description(folder, {**description, "parity_with_torch": error, **measure(policy)})
    (folder / "README.md").write_text(model_card(load_policy(folder).meta, policy.policy_id))
    return error


def model_card(meta: dict[str, Any], policy_id: str) -> str:
    """Markdown card of a policy, from its policy.json."""
    training = meta["training"]
    recipe, last = training["recipe"], training["last_epoch"]
    settings = ", ".join(
        f"{name} {value}"
        for name, value in recipe.items()
        if name not in ("betas", "augmentation", "variants")
    )
    kind = "spatial tokens of its own encoder" if "finetuning" in training else "frozen spatial tokens of"
    return f"""# {policy_id}

A behaviour-cloning policy for the task "{meta["task"]}": {kind}
`{meta["encoder_id"]}` and the arm's joint state go through a three-layer convolutional neck
and an MLP (Theia paper, Tables 8 and 9) to a chunk of {meta["horizon"]} actions (`{meta["action_space"]}`,
{meta["dt_s"]:g} s apart), of which {meta["execute_steps"]} are executed before the next chunk.

| | |
|---|---|
| licence | Apache-2.0; the encoder's weights: {meta.get("encoder_licence", "see its card")} |
| trained on | {training["episodes"]} episodes, {training["steps"]} steps; data hash `{training["data"]}` |
| held out | {training["validation_episodes"]} episodes, {training["validation_steps"]} steps |
| time in updates | {training.get("seconds", 0) / 60:.1f} min |
| recipe | {settings} |
| augmentation | {_augmentation(recipe)} |
{_finetuning(meta)}| held-out loss | {last["validation_loss"]:.4f} (smooth L1 of scaled actions) |
| held-out position error of the next action | {last["position_error_mm"]:.2f} mm |
| held-out rotation error of the next action | {last["rotation_error_deg"]:.2f} deg |
| held-out steps with the gripper wrong | {100 * last["gripper_wrong"]:.1f} % |
| `policy.safetensors` sha256 | `{meta["weights_sha256"]}` |
| exported graph against torch | {meta["parity_with_torch"]:.2g} standard deviations of an action at most |

Held-out error is no measure of success: run `theia eval {meta["task"]} --policy FOLDER`. The policy
knows one camera view, one robot and the scenes of its demonstrations; anything else is outside of what it
was trained for. Curves: `curves.csv`, `curves.png`.
"""


def _augmentation(recipe: dict[str, Any]) -> str:
    changes = recipe.get("augmentation")
    if not changes:
        return "none"
    largest = ", ".join(f"{name} {value}" for name, value in changes.items())
    times = (
        f"; {recipe['variants']} variants of each frame" if recipe.get("variants") else "; each frame anew"
    )
    return f"random, at most {largest}{times}"


def _finetuning(meta: dict[str, Any]) -> str:
    """Rows of the card that only a policy with its own encoder has."""
    training = meta["training"]
    if "finetuning" not in training:
        return ""
    settings, start, parity = training["finetuning"], training["started_from"], meta["parity_from_pixels"]
    rate = settings["learning_rate_factor"] * training["recipe"]["learning_rate"]
    policy = "random weights" if start["policy"] == "none" else f"`{start['policy']}`"
    split = (
        ""
        if start["same_split"]
        else "; it learned from other data or another split, so held-out episodes may not have been new to it"
    )
    learning = f"last {settings['blocks']} of 12 blocks, peak learning rate {rate:g}, {settings['precision']}"
    compared = (
        f"{parity['actions']:.2g} standard deviations of an action at most, lowest cosine of a token "
        f"{parity['tokens']['cosine_min']:.6f}, on {parity['frames']} held-out frames"
    )
    return f"""| encoder | `encoder/` in this folder; began as `{training["encoder_id"]}` |
| encoder's training | {learning} |
| policy began as | {policy}{split} |
| from pixels, against torch | {compared} |
"""
