"""Write a trained policy as the folder that the robot loads: graph, weights, description and model card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from theia_core.errors import TheiaError
from theia_core.policies import PolicyRuntime, load_policy
from theia_core.policies.artefact import BC_MLP, DIFFUSION, write_description
from theia_core.policies.neck import ScaledPolicy
from theia_core.policies.runtime import proper_actions
from theia_training.cloning.method import Method, method_of

# Half-precision weights may move an action by this much at most, in units of its scale.
LARGEST_PARITY_ERROR = 0.05


def export_policy(
    folder: Path,
    method: Method,
    model: ScaledPolicy,
    description: dict[str, Any],
    tokens: np.ndarray,
    joints: np.ndarray,
    measure: Callable[[PolicyRuntime], dict[str, Any]] = lambda policy: {},
) -> float:
    """Write `model` into `folder` and compare what the robot will run with torch.

    Args:
        folder: receives graphs, policy.safetensors, policy.json and README.md.
        method: its kind.
        model: trained policy in eval mode.
        description: entries of policy.json.
        tokens: (1, N, d) real tokens for the comparison.
        joints: (1, J) the robot's state at these.
        measure: gives more entries of policy.json from the exported policy.

    Returns:
        Largest difference of onnxruntime with float16 weights from torch in float32, in units of the scale
        of an action.

    Raises:
        TheiaError: if that difference is above `LARGEST_PARITY_ERROR`.
    """
    method.write_graphs(folder, model, description["name"])
    write_description(folder, description)
    expected = expected_actions(method, model, tokens, joints, description["action_space"])
    policy = load_policy(folder)
    error = parity_error(policy, model, tokens, joints, expected)
    if not error < LARGEST_PARITY_ERROR:
        raise TheiaError(
            f"the exported policy differs from torch by {error:.3g} standard deviations: its weights do not "
            "fit float16; train it again with a lower learning rate"
        )
    write_description(folder, {**description, "parity_with_torch": error, **measure(policy)})
    (folder / "README.md").write_text(model_card(load_policy(folder).meta, policy.policy_id))
    return error


def expected_actions(
    method: Method, model: ScaledPolicy, tokens: np.ndarray, joints: np.ndarray, space: str
) -> np.ndarray:
    """Actions (B, H, D) that torch gives for tokens (B, N, d) and joints (B, J), as they would go out."""
    with torch.inference_mode():
        actions = method.act(model, torch.from_numpy(tokens).float(), torch.from_numpy(joints)).numpy()
    return proper_actions(actions, space)


def parity_error(
    policy: PolicyRuntime, model: ScaledPolicy, tokens: np.ndarray, joints: np.ndarray, expected: np.ndarray
) -> float:
    """Largest difference of a loaded policy from `expected` (B, H, D), in units of the actions' scale."""
    errors = []
    for token, joint, wanted in zip(tokens, joints, expected, strict=True):
        policy.reset(0)
        errors.append(np.abs(policy.predict(token, joint) - wanted) / model.action_std.numpy())
    return float(np.max(errors))


_KINDS = {BC_MLP: "behaviour-cloning policy", DIFFUSION: "diffusion policy"}
_NETWORKS = {
    BC_MLP: "an MLP (Theia paper, Tables 8 and 9) to",
    DIFFUSION: "become a vector under which a residual MLP of {blocks} blocks (Theia paper, Tables 8 and 10)"
    "\nturns noise, in {inference_steps} steps of DDIM, into",
}


def model_card(meta: dict[str, Any], policy_id: str) -> str:
    """Markdown card of a policy, from its policy.json."""
    training = meta["training"]
    recipe, last = training["recipe"], training["last_epoch"]
    settings = ", ".join(
        f"{name} {value}"
        for name, value in recipe.items()
        if name not in ("betas", "augmentation", "variants")
    )
    tokens = "spatial tokens of its own encoder" if "finetuning" in training else "frozen spatial tokens of"
    return f"""# {policy_id}

A {_KINDS[meta["kind"]]} for the task "{meta["task"]}": {tokens}
`{meta["encoder_id"]}` and the robot's state go through a three-layer convolutional neck
and {_NETWORKS[meta["kind"]].format(**meta["config"])} a chunk of {meta["horizon"]} actions
(`{meta["action_space"]}`, {meta["dt_s"]:g} s apart), of which {meta["execute_steps"]} are executed before
the next chunk.

| | |
|---|---|
| licence | Apache-2.0; the encoder's weights: {meta.get("encoder_licence", "see its card")} |
| trained on | {training["episodes"]} episodes, {training["steps"]} steps; data hash `{training["data"]}` |
| held out | {training["validation_episodes"]} episodes, {training["validation_steps"]} steps |
| time in updates | {training.get("seconds", 0) / 60:.1f} min, on {training.get("device", "cpu")} |
| recipe | {settings} |
| augmentation | {_augmentation(recipe)} |
{_finetuning(meta)}| held-out loss | {last["validation_loss"]:.4f} ({method_of(meta["kind"]).loss_name}) |
| held-out position error of the next action | {last["position_error_mm"]:.2f} mm |
| held-out rotation error of the next action | {last["rotation_error_deg"]:.2f} deg |
| held-out steps with the gripper wrong | {100 * last["gripper_wrong"]:.1f} % |
| `policy.safetensors` sha256 | `{meta["weights_sha256"]}` |
| exported graph against torch | {meta["parity_with_torch"]:.2g} of an action's scale at most |

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
        f"{parity['actions']:.2g} of an action's scale at most, lowest cosine of a token "
        f"{parity['tokens']['cosine_min']:.6f}, on {parity['frames']} held-out frames"
    )
    return f"""| encoder | `encoder/` in this folder; began as `{training["encoder_id"]}` |
| encoder's training | {learning} |
| policy began as | {policy}{split} |
| from pixels, against torch | {compared} |
"""
