"""Trials in simulation, for one process of an evaluation."""

import time
from dataclasses import dataclass

from theia_core.evaluation import latency_summary
from theia_core.tasks import get_task
from theia_core.tasks.protocol import Trial
from theia_sim.contenders import EXPERT
from theia_sim.controllers import ExpertController, PolicyController, Stopwatch
from theia_sim.envs import make_env, make_expert
from theia_sim.rollout import new_guard, rollout
from theia_sim.small_film import SmallFilm


@dataclass(frozen=True)
class EvaluationOptions:
    """What to run of one contender."""

    task: str
    policy: str
    encoder: str | None
    execution: str
    latency_s: float
    noise_mm: float
    denoising_steps: int | None = None


class TrialRunner:
    """Runs trials in one process: its environment, guard and controllers are made once."""

    def __init__(self, options: list[EvaluationOptions], *, films: bool) -> None:
        """Prepare to run trials of contenders.

        Args:
            options: what to run of each contender, all of one task and latency.
            films: whether trials may be filmed.
        """
        self.task = get_task(options[0].task)
        self.latency_s = options[0].latency_s
        self.env, self.guard = make_env(self.task.id), new_guard(self.task.id)
        loaded: dict[tuple[str, str | None, int | None], PolicyController] = {}
        self.controllers: list[ExpertController | PolicyController] = []
        for option in options:
            if option.policy == EXPERT:
                expert = make_expert(self.task.id)
                self.controllers.append(
                    ExpertController(self.env, expert, noise_m=option.noise_mm / 1000, needs_image=films)
                )
                continue
            key = option.policy, option.encoder, option.denoising_steps
            if key not in loaded:
                loaded[key] = PolicyController(*key[:2], denoising_steps=option.denoising_steps)
            self.controllers.append(loaded[key].executing(option.execution))

    def __call__(self, item: tuple[int, Trial, str | None]) -> tuple[int, dict]:
        """Run a trial.

        Args:
            item: place of the contender, the trial, and where to write its film, None for no film.

        Returns:
            The place, and what happened as a record; who it was is for the caller to add.
        """
        place, trial, film_path = item
        controller = Stopwatch(self.controllers[place])
        film = SmallFilm(film_path, self.task.control_rate_hz) if film_path else None
        scene = type(self.env).params_type.sample(trial.seed, **trial.cell)
        self.env.reset(scene)
        started = time.monotonic()
        result = rollout(
            self.env,
            controller,
            self.guard,
            seed=trial.seed,
            max_steps=self.task.horizon_steps,
            latency_s=self.latency_s,
            on_step=film.on_step if film is not None else None,
        )
        return place, {
            **({"video": film.close()} if film is not None else {}),
            "latency": {"predict_ms": latency_summary(controller.predict_ms)},
            "task": self.task.id,
            "simulated": True,
            "index": trial.index,
            "seed": trial.seed,
            "cell": trial.cell,
            "stages": result.stages,
            "stage_steps": result.stage_steps,
            "steps": result.steps,
            "failure": result.failure,
            "guard_refusals": result.refusals,
            "jumps": result.jumps,
            "wall_s": round(time.monotonic() - started, 2),
        }

    def close(self) -> None:
        """Free the renderers."""
        self.env.close()
