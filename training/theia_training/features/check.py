"""Find what is corrupt, missing or mismatched in a feature store."""

import json
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load

from theia_core.errors import TheiaError
from theia_core.files import file_sha256
from theia_training.features.encoding import CLS, SCALE, decode
from theia_training.features.manifest import Manifest
from theia_training.features.shard import IMAGE, ShardIndex, index_path, tar_path


def check_store(folder: Path, on_shard: Callable[[], None] = lambda: None) -> list[str]:
    """Read every byte of a store.

    Returns:
        One sentence per problem; empty if the store is sound.

    Raises:
        TheiaError: if the folder is no feature store at all.
    """
    manifest, problems = Manifest.read(folder), []
    seen: set[str] = set()
    samples = skipped = 0
    for number in range(manifest.shards):
        tar, index_file = tar_path(folder, number), index_path(folder, number)
        on_shard()
        if not index_file.exists():
            problems.append(
                f"{tar.name} is missing or unfinished; run the same `theia features` command again"
            )
            continue
        try:
            index = ShardIndex.read(index_file)
        except TheiaError as error:
            problems.append(str(error))
            continue
        if index.store != manifest.identity:
            problems.append(
                f"{tar.name} belongs to another feature store: other teachers, images or settings; delete it "
                "with its index and extract again"
            )
        samples, skipped = samples + len(index.samples), skipped + len(index.skipped)
        twice = seen & {entry.key for entry in index.samples}
        problems += [f"{tar.name} repeats the key {key}" for key in sorted(twice)]
        seen |= {entry.key for entry in index.samples}
        if not tar.exists():
            problems.append(
                f"{tar.name} is missing although its index exists; delete {index_file.name} and extract again"
            )
        elif file_sha256(tar) != index.sha256:
            problems += [f"{tar.name} is corrupt: its checksum is not the recorded one"]
            problems += [f"{tar.name}: {text}" for text in _check_samples(tar, index, manifest)]
        else:
            problems += [f"{tar.name}: {text}" for text in _check_samples(tar, index, manifest)]
    if not problems and samples + skipped != manifest.images:
        problems.append(f"{samples} samples and {skipped} skipped ones do not make {manifest.images} images")
    return problems


def _check_samples(tar: Path, index: ShardIndex, manifest: Manifest) -> list[str]:
    problems: list[str] = []
    with tar.open("rb") as file:
        for entry in index.samples:
            file.seek(entry.offset)
            data = file.read(entry.size)
            if zlib.crc32(data) != entry.crc32:
                problems.append(f"sample {entry.key} is corrupt")
                continue
            problems += [f"sample {entry.key} {text}" for text in _check_tensors(load(data), manifest)]
    try:
        with tarfile.open(tar) as archive:
            members = {member.name: member for member in archive}
            for entry in index.samples:
                beside = members.get(f"{entry.key}.json")
                if f"{entry.key}.safetensors" not in members or beside is None:
                    problems.append(f"sample {entry.key} is in the index and not in the tar")
                    continue
                reader = archive.extractfile(beside)
                meta = json.loads(reader.read()) if reader else {}
                if meta != {"source": entry.source, "split": entry.split}:
                    problems.append(
                        f"sample {entry.key} has another source or split in the tar than in the index"
                    )
    except (tarfile.TarError, ValueError, UnicodeDecodeError) as error:
        problems.append(f"not readable as a tar ({error})")
    return problems


def _check_tensors(tensors: dict[str, torch.Tensor], manifest: Manifest) -> list[str]:
    problems = []
    image = tensors.get(IMAGE)
    if image is None or tuple(image.shape) != (manifest.image_size, manifest.image_size, 3):
        problems.append("lacks its image, or has one of another size")
    expected = {IMAGE}
    for teacher in manifest.teachers:
        expected |= {teacher.name, teacher.name + SCALE, teacher.name + CLS}
        stored = tensors.get(teacher.name)
        if stored is None or tuple(stored.shape) != (teacher.tokens, teacher.size.channels):
            shape = "no" if stored is None else tuple(stored.shape)
            problems.append(
                f"has {shape} features of {teacher.name} instead of {(teacher.tokens, teacher.size.channels)}"
            )
        elif not torch.isfinite(decode(teacher.name, tensors)).all():
            problems.append(f"has features of {teacher.name} that are not finite")
        cls = tensors.get(teacher.name + CLS)
        if teacher.has_cls and (cls is None or tuple(cls.shape) != (teacher.size.channels,)):
            problems.append(f"lacks the CLS feature of {teacher.name}, or has one of another size")
        elif cls is not None and not torch.isfinite(cls).all():
            problems.append(f"has a CLS feature of {teacher.name} that is not finite")
    problems += [
        f"holds {name}, which is of no teacher of this store" for name in sorted(tensors.keys() - expected)
    ]
    return problems
