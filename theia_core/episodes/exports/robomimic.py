"""robomimic's HDF5: one group a demonstration, actions scaled to -1 ... 1, masks."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from theia_core.episodes.exports.steps import Size, action_names, read, state_names
from theia_core.errors import MissingExtraError, TheiaError

# ee_delta's limits, by which its actions are divided; robomimic's policies answer between -1 and 1.
_LARGEST_DELTA = np.array([0.05] * 3 + [0.25] * 3, np.float32)
_GYM = 2  # robomimic's EnvType.GYM_TYPE
IMAGE, STATE = "policy_image", "joint_positions"


def export_robomimic(
    paths: Sequence[Path],
    out: Path,
    *,
    rate_hz: float = 5.0,
    size: Size | None = (224, 224),
    validation: Sequence[Path] = (),
    progress: bool = True,
) -> int:
    """Write episodes as one HDF5 file; returns the number of samples.

    `obs` holds the frames and the joints; there is no `next_obs`, which imitation does not read. `ee_delta`
    actions are divided by 0.05 m and 0.25 rad, the gripper goes from -1 (closed) to 1 (open); the attributes
    `action_scale` and `action_offset` of `data` give back the originals: action * scale + offset.

    Args:
        paths: episodes.
        out: the file, ending in .hdf5; must not exist.
        rate_hz: control rate.
        size: (width, height) of the frames; as recorded if None.
        validation: those of `paths` that go into the mask `valid`.
        progress: show a progress bar.

    Raises:
        MissingExtraError: if h5py is not installed.
        TheiaError: if the file exists, or an episode cannot be read.
    """
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise MissingExtraError("h5py", "formats") from error
    if out.exists():
        raise TheiaError(f"{out} exists; nothing is overwritten, choose another name")
    partial = out.with_name(f"{out.name}.partial")
    masks: dict[str, list[str]] = {"train": [], "valid": []}
    total, task = 0, ""
    try:
        with h5py.File(partial, "w") as file:
            data = file.create_group("data")
            for number, path in enumerate(
                tqdm(paths, desc="robomimic", unit="episode", disable=not progress)
            ):
                episode = read(path, rate_hz)
                task = task or str(episode.metadata.get("task", "unknown"))
                actions = episode.steps.actions
                scale, offset = _scaling(actions.shape[1])
                count = len(episode.steps)
                demo = data.create_group(f"demo_{number}")
                demo.attrs.update(num_samples=count, source=path.name, labels=json.dumps(episode.metadata))
                demo["actions"] = (actions - offset) / scale
                rewards = np.zeros(count, np.float32)
                rewards[-1] = float(bool(episode.metadata.get("success")))
                demo["rewards"], demo["dones"] = rewards, np.arange(count) == count - 1
                demo[f"obs/{STATE}"] = episode.steps.joints
                frames = np.stack(list(episode.frames(size)))
                demo.create_dataset(
                    f"obs/{IMAGE}", data=frames, chunks=(1, *frames.shape[1:]), compression="lzf"
                )
                masks["valid" if path in validation else "train"].append(f"demo_{number}")
                total += count
                data.attrs.update(action_scale=scale, action_offset=offset)
                data.attrs["action_names"] = action_names(actions.shape[1])
                data.attrs["state_names"] = state_names(episode.steps.joints.shape[1])
            data.attrs["total"] = total
            environment = {"env_name": f"theia/{task}", "type": _GYM, "env_kwargs": {}}
            data.attrs["env_args"] = json.dumps(environment)
            for name, demos in masks.items():
                if demos:
                    file[f"mask/{name}"] = np.array(demos, dtype="S")
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return total


def _scaling(dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset of actions; those that are not `ee_delta` stay as they are."""
    if dim != len(_LARGEST_DELTA) + 1:
        return np.ones(dim, np.float32), np.zeros(dim, np.float32)
    return np.append(_LARGEST_DELTA, np.float32(0.5)), np.array([0.0] * 6 + [0.5], np.float32)
