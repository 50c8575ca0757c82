"""Checkpoints of training: one safetensors file that is always complete, never a pickle."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from theia_core.errors import TheiaError

FILE = "checkpoint.safetensors"


def save_checkpoint(
    folder: Path,
    model: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    state: dict[str, Any],
) -> None:
    """Replace the folder's checkpoint at once; a kill leaves the old one or the new one."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    names = {parameter: name for name, parameter in model.named_parameters()}
    for parameter, slots in optimiser.state.items():
        for slot, value in slots.items():
            tensors[f"optimiser.{slot}.{names[parameter]}"] = value
    partial = folder / f"{FILE}.partial"
    save_file(
        {name: value.detach().contiguous() for name, value in tensors.items()},
        partial,
        {"state": json.dumps(state)},
    )
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, folder / FILE)


def read_state(folder: Path) -> dict[str, Any]:
    """The plain values that were saved beside the tensors.

    Raises:
        TheiaError: if the checkpoint is absent or damaged.
    """
    path = folder / FILE
    if not path.is_file():
        raise TheiaError(f"{folder} has no {FILE} to resume from; start without --resume")
    try:
        with safe_open(path, "pt") as file:
            state: dict[str, Any] = json.loads(file.metadata()["state"])
    except Exception as error:  # safetensors raises its own class, which derives from Exception alone
        raise TheiaError(f"{path} is damaged ({error}); delete it and start again") from error
    return state


def load_checkpoint(
    folder: Path, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Restore weights, their average and the optimiser from the folder's checkpoint."""
    slots: dict[str, dict[str, torch.Tensor]] = {}
    with safe_open(folder / FILE, "pt") as file:
        parts: dict[str, dict[str, torch.Tensor]] = {"model": {}, "average": {}}
        for key in file.keys():  # noqa: SIM118 (safe_open has no iterator)
            part, name = key.split(".", 1)
            if part == "optimiser":
                slot, name = name.split(".", 1)
                slots.setdefault(name, {})[slot] = file.get_tensor(key)
            else:
                parts[part][name] = file.get_tensor(key)
    model.load_state_dict(parts["model"])
    average.load_state_dict(parts["average"])
    for name, parameter in model.named_parameters():
        if name in slots:  # a frozen parameter has no state
            optimiser.state[parameter] = {  # type: ignore[assignment]
                slot: value.to(parameter.device) for slot, value in slots[name].items()
            }
