"""Views of a task along its expert's way, disturbed: as in demonstrations, and from other cameras."""

from dataclasses import dataclass

import numpy as np

from theia_core.tasks import get_task
from theia_sim.controllers import ExpertController
from theia_sim.envs import make_env, make_expert
from theia_sim.rollout import Observation, new_guard, rollout
from theia_sim.scenes.views import View

OTHER_CAMERA_SHARE = 0.3  # of the views are not the policy camera's
_NOISE_M = (0.0, 0.012)  # from a demonstration's way to one that mostly fails
_PRESSED_M = 0.005  # a disturbed hand may press things this deep into each other, not deeper


@dataclass(frozen=True)
class _Around:
    """What other cameras look at, by how much that varies (3,) [m], and from how far [m]."""

    target_m: tuple[float, float, float]
    spread_m: tuple[float, float, float]
    distance_m: tuple[float, float]


_ARM = _Around((0.28, 0.0, 0.14), (0.10, 0.18, 0.06), (0.35, 0.9))
_AROUND = {"drawer": _Around((0.90, 0.0, 0.58), (0.15, 0.20, 0.12), (0.6, 1.5))}


class ExpertViews:
    """Draws moments of one disturbed episode of the expert per scene."""

    def __init__(self, task: str) -> None:
        """Compile the scene once."""
        self.env = make_env(task)
        self._task = get_task(task)
        self._guard = new_guard(task)

    def draw(self, seed: int, count: int) -> list[View]:
        """`count` views of the scene of training seed `seed`."""
        rng = np.random.default_rng([seed, 78])
        params = self.env.params_type.sample(seed, **self._task.sample_training_params(seed))
        self.env.reset(params)
        expert = ExpertController(self.env, make_expert(self._task.id), noise_m=float(rng.uniform(*_NOISE_M)))
        moments: list[np.ndarray] = []

        def keep(_: Observation, __: np.ndarray) -> None:
            if self._pressed_m() < _PRESSED_M:
                moments.append(self.env.snapshot().qpos)

        rollout(self.env, expert, self._guard, seed=seed, max_steps=self._task.horizon_steps, on_step=keep)
        chosen = rng.permutation(len(moments))[:count]
        return [self._view(params, moments[index], rng) for index in chosen]

    def _pressed_m(self) -> float:
        """How deep bodies are inside each other now [m]."""
        data = self.env.data
        return -float(min(data.contact.dist[: data.ncon], default=0.0))

    def _view(self, params: object, qpos: np.ndarray, rng: np.random.Generator) -> View:
        if rng.uniform() >= OTHER_CAMERA_SHARE:
            return View(params, qpos)
        around = _AROUND.get(self._task.id, _ARM)
        target_m = np.array(around.target_m) + rng.uniform(-1, 1, 3) * around.spread_m
        azimuth_rad, elevation_rad = rng.uniform(-1.25, 1.25), rng.uniform(0.4, 1.1)
        backward = np.array([-np.cos(azimuth_rad), -np.sin(azimuth_rad), np.tan(elevation_rad)])
        position_m = target_m + rng.uniform(*around.distance_m) * backward / np.linalg.norm(backward)
        return View(params, qpos, position_m, target_m, float(rng.uniform(32.0, 60.0)))
