"""What a comparison is going to cost, said before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from theia_sim.comparison.config import ComparedTask, Comparison
from theia_sim.comparison.steps import Step

# Core seconds, with both cores of an Intel Xeon at 2.5 GHz busy, 2026-11-28: to encode a frame (0.02 with
# EfficientNet-Lite2, 0.1 with a ViT-S), and to learn from one step of a demonstration once.
FRAME_S, SAMPLE_S = 0.05, 0.006
# Of a BC policy by `theia train`, where a comparison does not say; a diffusion policy takes more.
BATCH, EPOCHS = 32, 16


@dataclass(frozen=True)
class TaskCost:
    """What a task costs.

    Attributes:
        frames: of a demonstration, at the control rate.
        demonstration_s: core seconds to record one.
        trial_s: core seconds of a trial.
    """

    frames: int
    demonstration_s: float
    trial_s: float


# Measured as above, but for the microwave's demonstration, which is a guess from a single one.
TASK_COSTS = {
    "door": TaskCost(39, 4.5, 2.6),
    "pick_place": TaskCost(45, 4.5, 4.5),
    "drawer": TaskCost(23, 3.8, 3.5),
    "microwave": TaskCost(95, 7.5, 7.7),
}


def cost_text(comparison: Comparison, steps: Sequence[Step]) -> str:
    """What is left to do, and about how long it takes."""
    making = sum(
        encoder.make_hours
        for title, encoder in comparison.encoders.items()
        if any(
            step.left() for step in steps if step.kind == "make" and step.title.startswith(f"make {title} ")
        )
    )
    left = dict.fromkeys(("collect", "train", "eval"), 0)
    core_s = 0.0
    for step in steps:
        if step.kind in left and (count := step.left()):
            left[step.kind] += count
            core_s += count * _core_s(step, comparison.tasks[step.task])
    total = sum(
        one.trials * len(comparison.encoders) * len(comparison.training_seeds)
        for one in comparison.tasks.values()
    )
    return (
        f"{len(comparison.tasks)} tasks x {len(comparison.encoders)} encoders x "
        f"{len(comparison.training_seeds)} training seeds; left to do: {making:.1f} h of making encoders, "
        f"{left['collect']} demonstrations, {left['train']} policies to train, "
        f"{left['eval']} of {total} trials; about {making + core_s / 3600 / comparison.workers:.1f} h "
        f"with {comparison.workers} processes (estimated from two cores of an Intel Xeon)"
    )


def _core_s(step: Step, task: ComparedTask) -> float:
    """Core seconds of one demonstration, policy or trial."""
    cost = TASK_COSTS[step.task]
    if step.kind != "train":
        return cost.demonstration_s if step.kind == "collect" else cost.trial_s
    frames = cost.frames * sum(part.episodes for part in task.demonstrations)
    batch = int(task.train.get("batch-size", BATCH))
    updates, epochs = int(task.train.get("updates", 0)), int(task.train.get("epochs", EPOCHS))
    return frames * FRAME_S + (updates * batch or epochs * frames) * SAMPLE_S
