"""A policy on disk: policy.json says what it is, policy.safetensors holds its weights, policy.onnx the graph.

A diffusion policy has two graphs over its weights instead: context.onnx, what it sees, and denoiser.onnx.

The folder also carries README.md (model card) and curves.csv/png from training, which nothing reads at run
time. A policy whose encoder was fine-tuned with it brings that encoder in a folder of its own, `encoder`.
"""

import json
from pathlib import Path
from typing import Any

import theia_core
from theia_core.actions.spaces import ACTION_SPACES
from theia_core.errors import TheiaError
from theia_core.policies.config import DiffusionConfig, PolicyConfig, TokenConfig
from theia_core.runtimes.safetensors_graph import weights_sha256

FORMAT = 1
DESCRIPTION, WEIGHTS, GRAPH = "policy.json", "policy.safetensors", "policy.onnx"
CONTEXT, DENOISER = "context.onnx", "denoiser.onnx"
BC_MLP, DIFFUSION = "bc_mlp", "diffusion"
CONFIGS: dict[str, type[TokenConfig]] = {BC_MLP: PolicyConfig, DIFFUSION: DiffusionConfig}
# The entry `encoder` of a policy that brings its own: the encoder's folder, seen from the policy's.
OWN_ENCODER = "./encoder"
REQUIRED = {
    "name": str,
    "kind": str,
    "task": str,
    "encoder": str,
    "encoder_id": str,
    "action_space": str,
    "horizon": int,
    "dt_s": float,
    "execute_steps": int,
    "weights_sha256": str,
    "config": dict,
}


def shipped_policies() -> dict[str, Path]:
    """Name -> folder of each policy that ships with the library."""
    root = Path(theia_core.__file__).parent / "models" / "policies"
    return {path.parent.name: path.parent for path in sorted(root.glob(f"*/{DESCRIPTION}"))}


def policy_folder(name_or_folder: str | Path) -> Path:
    """Folder of a shipped policy's name, or the folder itself.

    Raises:
        TheiaError: if it is neither.
    """
    shipped = shipped_policies()
    name = str(name_or_folder)
    if name in shipped:
        return shipped[name]
    folder = Path(name_or_folder)
    if (folder / DESCRIPTION).is_file():
        return folder
    known = ", ".join(shipped) or "none"
    if folder.is_dir():
        raise TheiaError(f"{folder} holds no policy: it has no {DESCRIPTION}; train one with `theia train`")
    raise TheiaError(f"unknown policy {name!r}: shipped are {known}; give one of them or a policy's folder")


def read_policy(folder: Path) -> dict[str, Any]:
    """Contents of a folder's policy.json, checked against its weights.

    This is the one place that knows where a policy's own encoder lies: the entry `encoder` of what is
    returned is what `load_encoder` takes, whatever the working directory.

    Raises:
        TheiaError: if a file is absent or damaged, an entry is missing or of the wrong kind, the weights
            are not the ones that policy.json names, or the policy's own encoder is not in its folder.
    """
    path = folder / DESCRIPTION
    try:
        meta = json.loads(path.read_text())
    except OSError as error:
        raise TheiaError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise TheiaError(f"{path} is not valid JSON ({error}); restore it or train again") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        found = meta.get("format") if isinstance(meta, dict) else None
        raise TheiaError(
            f"{path} has format {found}, this version reads format {FORMAT}; train the policy again"
        )
    for entry, kind in REQUIRED.items():
        if not isinstance(meta.get(entry), kind) and not (kind is float and isinstance(meta.get(entry), int)):
            raise TheiaError(
                f"{path} has {entry}={meta.get(entry)!r}, a {kind.__name__} is needed; train it again"
            )
    if meta["kind"] not in CONFIGS:
        raise TheiaError(f"{path} has unknown kind {meta['kind']!r}; known: {', '.join(CONFIGS)}")
    if meta["action_space"] not in ACTION_SPACES:
        raise TheiaError(
            f"{path} has unknown action space {meta['action_space']!r}; known: {', '.join(ACTION_SPACES)}"
        )
    if not 1 <= meta["execute_steps"] <= meta["horizon"]:
        raise TheiaError(
            f"{path} executes {meta['execute_steps']} of {meta['horizon']} actions; "
            "set execute_steps within 1..horizon"
        )
    try:
        CONFIGS[meta["kind"]].from_dict(meta["config"])
    except (TypeError, KeyError) as error:
        raise TheiaError(f"{path} has an unreadable config ({error}); train the policy again") from error
    found = weights_sha256(folder / WEIGHTS)
    if found != meta["weights_sha256"]:
        raise TheiaError(
            f"{folder / WEIGHTS} has sha256 {found[:12]}... but {DESCRIPTION} names "
            f"{meta['weights_sha256'][:12]}...; restore both from one training run"
        )
    return {**meta, "encoder": _loadable_encoder(folder, meta["encoder"])}


def _loadable_encoder(folder: Path, encoder: str) -> str:
    """What `load_encoder` takes for the entry `encoder`: a name stays, a folder is joined to the policy's."""
    if not encoder.startswith("."):
        return encoder
    root, own = folder.resolve(), (folder / encoder).resolve()
    if root not in own.parents:
        raise TheiaError(
            f"{folder / DESCRIPTION} names the encoder {encoder!r}, which lies outside of its folder; "
            f"put the encoder into {folder} and name it {OWN_ENCODER!r}"
        )
    if not (own / "encoder.json").is_file():
        raise TheiaError(
            f"the policy in {folder} brings its own encoder, but {own} holds none: it has no encoder.json; "
            "copy the policy's whole folder, or train it again"
        )
    return str(own)


def write_description(folder: Path, meta: dict[str, Any]) -> None:
    """Write policy.json for the weights that lie in `folder`, adding the format and the weights' hash."""
    meta = {"format": FORMAT, **meta, "weights_sha256": weights_sha256(folder / WEIGHTS)}
    (folder / DESCRIPTION).write_text(json.dumps(meta, indent=2) + "\n")
