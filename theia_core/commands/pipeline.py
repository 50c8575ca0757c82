"""`theia pipeline`: from bags to a fine-tuned encoder, a policy and a comparison, in one command."""

import argparse
from pathlib import Path

from theia_core.cli import Command, registered_commands

EXAMPLES = """examples:
  theia pipeline door --small --out runs/pipeline_small       minutes: everything once, in simulation
  theia pipeline door --data data/door_kim --general data/features/photos --out runs/pipeline_door

Stages: (collect,) check, (general set,) finetune, train before and after, export with its certificate,
evaluation of both policies on the same trials. OUT/pipeline.json links each artefact to what it was made of
by hash, OUT/README.md says what came out. The same command again leaves out what is done, goes on where it
was interrupted, and makes anew what depends on changed data."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.add_argument("task", choices=("door", "pick_place", "microwave"), help="task of the policy")
    parser.add_argument("--out", type=Path, required=True, help="folder of everything that is made")
    parser.add_argument(
        "--data", type=Path, nargs="+", default=[], help="folders of episodes (recorded in simulation first)"
    )
    parser.add_argument(
        "--general",
        nargs="+",
        default=[],
        help="feature stores or image folders to mix robot frames with (scenes of another task are drawn)",
    )
    parser.add_argument("--teachers", nargs="+", default=[], help="for --general with images: teachers")
    parser.add_argument("--encoder", default="theia-tiny", help="Theia encoder to go on from (theia-tiny)")
    parser.add_argument("--trials", type=int, default=100, help="trials of each policy (100)")
    parser.add_argument("--seed", type=int, default=1000, help="evaluation seed (1000)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (2)")
    parser.add_argument("--small", action="store_true", help="everything in minutes, as a trial")
    parser.add_argument("--dry-run", action="store_true", help="print the commands and stop")


def run(arguments: argparse.Namespace) -> int:
    """Run the stages that are not done."""
    from theia_core.files import whole_file
    from theia_core.pipeline.policy_pipeline import PipelineOptions, policy_pipeline
    from theia_core.pipeline.runner import run_pipeline
    from theia_core.pipeline.summary import summary

    options = PipelineOptions(
        task=arguments.task,
        out=arguments.out,
        data=tuple(arguments.data),
        general=tuple(arguments.general),
        teachers=tuple(arguments.teachers),
        encoder=arguments.encoder,
        trials=arguments.trials,
        seed=arguments.seed,
        threads=arguments.threads,
        small=arguments.small,
    )
    stages = policy_pipeline(options, registered_commands())
    if arguments.dry_run:
        for stage in stages:
            print(f"{stage.name}: theia {' '.join(stage.command)}")
        return 0
    record = run_pipeline(stages, options.out, lambda text: print(text, flush=True))
    text = summary(record, options.out, f"Pipeline of the task {options.task}", options.small)
    with whole_file(options.out / "README.md") as file:
        file.write(text.encode())
    print(f"\n{text}\nwritten to {options.out / 'README.md'}")
    return 0


COMMAND = Command("from bags to a compared policy: check, fine-tune, train, export, evaluate", configure, run)
