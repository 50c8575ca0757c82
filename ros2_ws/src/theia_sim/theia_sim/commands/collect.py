"""`theia collect`: scripted demonstrations in simulation, as episodes of the robot's own recorder."""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from theia_core.cli import Command
from theia_core.errors import TheiaError
from theia_sim.envs import TASKS

EXAMPLES = """examples:
  theia collect door                            as many demonstrations as the paper has, in data/door
  theia collect pick_place --episodes 150 --noise-mm 4 --out data/pick_place_noisy
                                                disturbed actions, clean labels
  theia collect drawer --episodes 50            Spot opens a drawer; an interrupted collection goes on
  theia collect door --episodes 60 --policy runs/door --out data/door_dagger
                                                the policy acts, the expert labels: recovery demonstrations
"""


@dataclass(frozen=True)
class CollectOptions:
    """What to record."""

    task: str
    out: Path
    seed: int
    noise_mm: float
    policy: str | None
    expert_share: float


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("task", choices=TASKS, help="task to demonstrate")
    parser.add_argument(
        "--episodes", type=int, help="number of episodes to have in the folder (as many as the paper's)"
    )
    parser.add_argument("--out", type=Path, help="folder of the episodes; finished ones are kept (data/TASK)")
    parser.add_argument("--seed", type=int, default=0, help="first training seed (0)")
    parser.add_argument(
        "--noise-mm", type=float, default=0.0, help="noise on executed actions, mm per axis and step"
    )
    parser.add_argument("--policy", help="let this policy act and the expert label (recovery demonstrations)")
    parser.add_argument(
        "--expert-share", type=float, default=0.3, help="with --policy: share of steps the expert acts"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")


def run(arguments: argparse.Namespace) -> int:
    """Record until the folder holds the wanted number of episodes."""
    from theia_core.tasks import get_task
    from theia_sim.parallel import run_parallel

    episodes = get_task(arguments.task).demonstrations if arguments.episodes is None else arguments.episodes
    if episodes < 1:
        raise TheiaError(f"--episodes must be at least 1, not {episodes}")
    out = arguments.out or Path("data") / arguments.task
    out.mkdir(parents=True, exist_ok=True)
    options = CollectOptions(
        arguments.task,
        out,
        arguments.seed,
        arguments.noise_mm,
        arguments.policy,
        arguments.expert_share,
    )
    todo = [index for index in range(episodes) if not _episode_path(options, index).exists()]
    if done := episodes - len(todo):
        print(f"{done} of {episodes} episodes are there already")
    outcomes = run_parallel(
        _Collector, options, todo, workers=arguments.workers, label=f"collect {arguments.task}"
    )
    kept = sum(outcome["kept"] for outcome in outcomes)
    solved = sum(outcome["success"] for outcome in outcomes)
    print(f"recorded {kept} episodes in {out} (simulated); last stage in {solved} of {len(outcomes)}")
    if failed := [outcome["seed"] for outcome in outcomes if not outcome["kept"]]:
        print(f"not kept, the expert failed: seeds {failed}")
    return 0


def _episode_path(options: CollectOptions, index: int) -> Path:
    return options.out / f"{options.task}_{options.seed + index:06d}.mcap"


class _Collector:
    """One worker: its environment, guard and controller are made once."""

    def __init__(self, options: CollectOptions) -> None:
        from theia_core.tasks import get_task
        from theia_sim.controllers import ExpertController, PolicyController, WatchedPolicyController
        from theia_sim.envs import make_env, make_expert
        from theia_sim.rollout import new_guard

        self.options, self.task = options, get_task(options.task)
        self.env = make_env(options.task)
        self.guard = new_guard(options.task)
        expert = make_expert(options.task)
        if options.policy:
            policy = PolicyController(options.policy)
            self.controller = WatchedPolicyController(
                self.env, expert, policy, expert_share=options.expert_share
            )
        else:
            self.controller = ExpertController(
                self.env, expert, noise_m=options.noise_mm / 1000, needs_image=True
            )

    def __call__(self, index: int) -> dict:
        from theia_core.episodes import EpisodeRecorder
        from theia_core.tasks import train_seed
        from theia_sim.rollout import rollout

        options, env = self.options, self.env
        seed = train_seed(options.seed + index)
        params = self.task.sample_training_params(seed)
        scene = type(env).params_type.sample(seed, **params)
        env.reset(scene)
        recorder = EpisodeRecorder(
            _episode_path(options, index),
            {
                "task": options.task,
                "robot": self.task.robot,
                "simulated": True,
                "seed": seed,
                "operator": self.controller.policy_id,
                "noise_mm": options.noise_mm,
                "randomisation": json.dumps(asdict(scene)),
            },
        )
        reached: set[str] = set()

        def record(observation, executed) -> None:  # noqa: ANN001
            recorder.image(observation.stamp_s, observation.image)
            recorder.joints(observation.stamp_s, *env.recorded_joints(observation.joints))
            recorder.action(
                observation.stamp_s,
                self.controller.label,
                self.controller.policy_id,
                env.action_space.name,
            )
            for stage, is_reached in env.stages().items():
                if is_reached and stage not in reached:
                    reached.add(stage)
                    recorder.stage(env.time_s, stage)

        try:
            result = rollout(
                env, self.controller, self.guard, seed=seed, max_steps=self.task.horizon_steps, on_step=record
            )
        except BaseException:
            recorder.discard()
            raise
        success = bool(result.stages[self.task.stages[-1]])
        keep = success or options.policy is not None
        if keep:
            recorder.close(success=success, stages=result.stages, steps=result.steps)
        else:
            recorder.discard()
        return {"seed": seed, "success": success, "kept": keep, "steps": result.steps}

    def close(self) -> None:
        """Free the renderers."""
        self.env.close()


COMMAND = Command("record scripted demonstrations in simulation", configure, run)
