"""What a comparison is going to cost, said before it starts."""

from collections.abc import Sequence

from theia_core.policies.artefact import DESCRIPTION
from theia_sim.comparison.config import Comparison
from theia_sim.comparison.steps import Step

# Core seconds, with both cores of an Intel Xeon at 2.5 GHz busy, 2026-11-28: a demonstration, a trial,
# and for each demonstration that a policy learns from (encoding 40 frames once, 16 epochs; from 3 s for
# EfficientNet-Lite2 to 15 s for a ViT-S).
DEMONSTRATION_S, TRIAL_S, TRAINING_S_PER_DEMONSTRATION = 4.5, 2.0, 6.0


def cost_text(comparison: Comparison, steps: Sequence[Step]) -> str:
    """What is left to do, and about how long it takes."""
    left = {kind: sum(step.left() for step in steps if step.kind == kind) for kind in ("collect", "eval")}
    making = sum(
        encoder.make_hours
        for title, encoder in comparison.encoders.items()
        if any(
            step.left() for step in steps if step.kind == "make" and step.title.startswith(f"make {title} ")
        )
    )
    training_s, policies = 0.0, 0
    for task, one in comparison.tasks.items():
        episodes = sum(part.episodes for part in one.demonstrations)
        for seed in comparison.training_seeds:
            for title in comparison.encoders:
                if not (comparison.policy_folder(task, title, seed) / DESCRIPTION).is_file():
                    policies += 1
                    training_s += episodes * TRAINING_S_PER_DEMONSTRATION
    roll_s = left["collect"] * DEMONSTRATION_S + left["eval"] * TRIAL_S
    hours = making + (training_s + roll_s) / 3600 / comparison.workers
    total = sum(
        one.trials * len(comparison.encoders) * len(comparison.training_seeds)
        for one in comparison.tasks.values()
    )
    return (
        f"{len(comparison.tasks)} tasks x {len(comparison.encoders)} encoders x "
        f"{len(comparison.training_seeds)} training seeds; left to do: {making:.1f} h of making encoders, "
        f"{left['collect']} demonstrations, {policies} policies to train, {left['eval']} of {total} trials; "
        f"about {hours:.1f} h with {comparison.workers} processes (estimated from two cores of an Intel Xeon)"
    )
