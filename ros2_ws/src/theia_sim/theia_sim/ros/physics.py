"""Real-time physics: simulated time follows the wall clock, and says when it cannot."""

import time
from collections.abc import Callable

from theia_sim.scenes.arm_env import TIMESTEP_S, ArmEnv

STEP_S = 0.01
_MOST_STEPS_AT_ONCE = 10


class RealTimePhysics:
    """Advances an environment so that simulated time keeps up with the monotonic clock.

    Attributes:
        lost_s: time that was given up since `restart` because the machine was too busy to simulate it.
    """

    def __init__(self, env: ArmEnv, before_step: Callable[[], None] = lambda: None) -> None:
        """Simulate `env` from now on; `before_step` is called before every 2 ms."""
        self._env, self._before_step = env, before_step
        self.restart()

    def restart(self) -> None:
        """Begin anew at this instant."""
        self._since_s, self._simulated_s, self.lost_s = time.monotonic(), 0.0, 0.0

    def advance(self) -> None:
        """Simulate what has passed since the last call, at most 0.1 s of it."""
        due_s = time.monotonic() - self._since_s - self._simulated_s
        steps = round(due_s / STEP_S)
        if steps > _MOST_STEPS_AT_ONCE:
            lost_s = (steps - _MOST_STEPS_AT_ONCE) * STEP_S
            self.lost_s += lost_s
            self._since_s += lost_s
            steps = _MOST_STEPS_AT_ONCE
        for _ in range(steps * round(STEP_S / TIMESTEP_S)):
            self._before_step()
            self._env.step(TIMESTEP_S)
        self._simulated_s += steps * STEP_S
