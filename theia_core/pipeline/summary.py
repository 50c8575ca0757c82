"""What a pipeline made, for people: verdicts, the comparison, and the chain of artefacts."""

import json
from pathlib import Path

from theia_core.pipeline.runner import PipelineRecord


def summary(record: PipelineRecord, out: Path, title: str, small: bool) -> str:
    """Markdown: fine-tuning's verdict, the table of the evaluation, and each stage with its hashes."""
    parts = [f"# {title}"]
    if small:
        parts.append("Made with --small: sizes that show that everything works, not what it can do.")
    finetuned = out / "finetune" / "finetune.json"
    if finetuned.is_file():
        values = json.loads(finetuned.read_text())
        lines = "\n".join(f"- {line}" for line in values["verdict"])
        parts.append(f"## Encoder\n\n`{values['encoder']}`, from `{values['start']}`:\n\n{lines}")
    table = out / "ab.md"
    if table.is_file():
        parts.append(f"## Policies (simulated)\n\n{table.read_text().strip()}")
    rows = ["| stage | made of | made | seconds |", "|---|---|---|---|"]
    for name, entry in record.stages.items():
        made_of = "<br>".join(f"{Path(p).name} `{digest}`" for p, digest in entry["inputs"].items())
        made = "<br>".join(f"{Path(p).name} `{digest}`" for p, digest in entry.get("outputs", {}).items())
        rows.append(f"| {name} | {made_of} | {made} | {entry.get('seconds', 'not finished')} |")
    parts.append("## Artefacts, by the hash of their content\n\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"
