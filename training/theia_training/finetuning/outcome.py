"""What a fine-tuning leaves: the encoder with its card, the page before and after, the numbers as JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from theia_core.encoders import load_encoder
from theia_core.files import write_json
from theia_core.software import software
from theia_training.distillation.record import ENCODER
from theia_training.export_theia import export_theia
from theia_training.finetuning.config import FinetuneConfig
from theia_training.finetuning.continued import CONTINUED, CONTROL, Comparison, compare, verdict
from theia_training.finetuning.robot_features import ROBOT

PAGE, RESULT = "before_after.html", "finetune.json"


def write_outcome(
    config: FinetuneConfig, control: Mapping[str, Any], continued: Mapping[str, Any]
) -> tuple[bool, list[str]]:
    """Write `encoder`, the page and the JSON into `config.out`; returns the verdict and its sentences."""
    start = load_encoder(config.start, threads=1)
    comparisons = compare(control, continued)
    good, lines = verdict(comparisons)
    base = start.spec.name.removesuffix("-robot")
    entries = export_theia(
        config.out / CONTINUED / ENCODER,
        config.out / ENCODER,
        f"{base}-robot",
        start.spec.licence,
        f"{start.encoder_id}, distillation continued on robot frames and a general set; before that: "
        f"{start.spec.source}",
        notes=_notes(config, start.encoder_id, comparisons, control, continued, lines),
    )
    write_json(
        config.out / RESULT,
        {
            "config": config.to_dict(),
            "start": start.encoder_id,
            "encoder": f"{base}-robot@{entries['weights_sha256'][:12]}",
            "held_out": {name: {**asdict(c), "change": c.change} for name, c in comparisons.items()},
            "good": good,
            "verdict": lines,
            "software": software(),
        },
    )
    return good, lines


def analysis_arguments(config: FinetuneConfig) -> list[str]:
    """Arguments of `theia analyze` for the page before and after, both with translators fitted alike."""
    folders = {"before": config.out / CONTROL / ENCODER, "after": config.out / CONTINUED / ENCODER}
    encoders = [text for label, folder in folders.items() for text in ("--encoder", f"{label}={folder}")]
    stores = [str(config.out / ROBOT), *config.general]
    return ["analyze", *encoders, "--features", *stores, "--out", str(config.out / PAGE), "--limit", "60"]


def _notes(
    config: FinetuneConfig,
    start_id: str,
    comparisons: Mapping[str, Comparison],
    control: Mapping[str, Any],
    continued: Mapping[str, Any],
    lines: list[str],
) -> str:
    rows = "\n".join(
        f"| {name} | {c.images} | {c.before:.4f} | {c.after:.4f} | {100 * c.change:+.1f} % |"
        for name, c in comparisons.items()
    )
    cosines = "\n".join(
        f"| {Path(store).name} | {teacher['name']} | {before[key]:.3f} | {values[key]:.3f} |"
        for store, values in continued["held_out_by_store"].items()
        for before in [control["held_out_by_store"][store]]
        for teacher in continued["teachers"]
        for key in [f"cosine_centred_{teacher['name']}"]
    )
    samples = continued["samples"]
    bags = ", ".join(str(bag) for bag in config.bags)
    return f"""## Fine-tuned on robot frames

It began as `{start_id}`. Distillation went on for {continued["updates"]} updates of
{continued["global_batch"]} images on {samples["train"]} samples: frames of the episodes in {bags}
and the general set ({", ".join(config.general)}).

Before and after with translators that were fitted alike: the control trained them for as many updates on the
same samples while the backbone was frozen. Feature error is the distillation loss (paper, Eq. 1) on held-out
images; robot frames are held out by whole episodes.

| set | held-out images | error before | error after | change |
|---|---|---|---|---|
{rows}

| set | teacher | centred cosine before | after |
|---|---|---|---|
{cosines}

{" ".join(f"{line.capitalize()}." for line in lines[len(comparisons) :])}
What it does for a policy is not said by these numbers; `theia pipeline` compares policies.
"""
