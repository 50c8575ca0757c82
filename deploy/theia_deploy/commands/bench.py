"""`theia bench encoder`: how fast encoders run on this machine, on every runtime that it has."""

import argparse
import json
from pathlib import Path
from typing import Any

from theia_core.cli import Command
from theia_core.errors import TheiaError

_EXAMPLES = """examples:
  theia bench encoder                                           tiny, small and base on the CPU's runtimes
  theia bench encoder --models theia-tiny --rounds 50 --json bench.json --picture roofline.png
  theia bench encoder --models base --runtimes torch-cuda,onnxruntime-cuda,tensorrt      on a GPU
tiny, small and base have made-up weights: speed does not depend on them. One image of 224x224 at a time, the
network alone. Engines are exported once, into ~/.cache/theia/bench."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    parser.add_argument("what", choices=("encoder",), help="what to measure")
    parser.add_argument(
        "--models",
        default="tiny,small,base",
        help="sizes, shipped names or folders, with commas (%(default)s)",
    )
    parser.add_argument(
        "--runtimes", default="torch,onnxruntime,onnxruntime-int8", help="with commas (%(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=20, help="runs of each, in turn (20)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the roofline as PNG")


def _run(arguments: argparse.Namespace) -> int:
    from theia_deploy.bench.models import ENGINES
    from theia_deploy.bench.run import bench_encoders

    models, runtimes = arguments.models.split(","), arguments.runtimes.split(",")
    if unknown := [name for name in runtimes if name not in ENGINES]:
        raise TheiaError(f"unknown runtime {unknown[0]!r}; choose of {', '.join(ENGINES)}")
    if arguments.rounds < 1 or arguments.threads < 1:
        raise TheiaError("--rounds and --threads must be at least 1")
    for option, path in (("--json", arguments.json), ("--picture", arguments.picture)):
        if path and not path.parent.is_dir():
            raise TheiaError(f"the folder of {option} {path} does not exist; make it first")
    result = bench_encoders(models, runtimes, threads=arguments.threads, rounds=arguments.rounds)
    print(bench_table(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
        print(f"wrote {arguments.json}")
    if arguments.picture:
        from theia_deploy.bench.roofline import write_roofline

        write_roofline(result, arguments.picture)
        print(f"wrote {arguments.picture}")
    return 0


def bench_table(result: dict[str, Any]) -> str:
    """The result as text."""
    machine, peak = result["machine"], result["peak"]
    lines = [
        f"{machine['cpu']} ({', '.join(machine['instructions'])}), {machine['threads']} threads of "
        f"{machine['cores']} cores, GPU: {machine['gpu'] or 'none'}",
        f"float32 products: {peak['gemm_gflops']} GFLOP/s at best, memory: {peak['copy_gb_s']} GB/s; "
        f"{result['rounds']} rounds in turn",
        f"{'model':<12} {'runtime':<20} {'':<5} {'min':>8} {'median':>8} {'p95':>8} {'memory':>8} "
        f"{'GFLOP/s':>8} {'of peak':>8} {'/torch':>7} {'/ORT':>6}",
    ]
    for row in result["rows"]:
        head = f"{row['model']:<12} {row['runtime']:<20}"
        if "error" in row:
            lines.append(f"{head} {row['error']}")
            continue
        ratios = [
            "" if row[key] is None else f"{row[key]:.2f}" for key in ("ratio_to_torch", "ratio_to_ort_fp32")
        ]
        lines.append(
            f"{head} {row['precision']:<5} {row['min_ms']:8.1f} {row['median_ms']:8.1f} {row['p95_ms']:8.1f} "
            f"{row['rss_mb']:8.0f} {row['gflops']:8.1f} {row['percent_of_gemm_peak']:7.0f}% {ratios[0]:>7} "
            f"{ratios[1]:>6}"
        )
    if any(row.get("precision") == "fp32" and row["percent_of_gemm_peak"] > 105 for row in result["rows"]):
        lines.append(
            "The machine was busy: its peak came out below what a network reached. Only ratios are of use."
        )
    return "\n".join(lines)


COMMAND = Command("measure how fast encoders run on this machine", _configure, _run)
