"""Ways to execute predictions, as an operator names them: `receding:4`, `ensemble:0.1`."""

import math
from dataclasses import dataclass

from theia_core.errors import TheiaError

_RECEDING, _ENSEMBLE = "receding", "ensemble"
_UNCOMPENSATED = "no-latency-compensation"
_LARGEST_M = 10.0
_FORMS = f"receding, receding:STEPS or ensemble:M, with or without ,{_UNCOMPENSATED}"


@dataclass(frozen=True)
class ExecutionMode:
    """One way to execute predictions; `str` gives the name that `parse` reads.

    Attributes:
        execute_steps: control steps that a prediction is executed for before the next one; 1 with ensembling.
        ensemble_m: exponential decay of temporal ensembling, None for a plain receding horizon. A prediction
            that is i steps newer than the oldest weighs exp(-m i) times as much: 0 weighs all alike, above 0
            favours the older ones, below 0 the newer ones.
        latency_compensation: whether the actions whose time has passed when a prediction is ready are
            dropped. Without it they are played, late; that is for comparisons.
    """

    execute_steps: int = 1
    ensemble_m: float | None = None
    latency_compensation: bool = True

    def __post_init__(self) -> None:
        """Refuse numbers out of range.

        Raises:
            TheiaError: if there is no step to execute, m is not finite or beyond 10 either way, or
                ensembling is to execute more than one step.
        """
        if self.execute_steps < 1:
            raise TheiaError(f"receding:{self.execute_steps} executes nothing; execute at least 1 step")
        if self.ensemble_m is None:
            return
        if not math.isfinite(self.ensemble_m) or abs(self.ensemble_m) > _LARGEST_M:
            raise TheiaError(f"ensemble:{self.ensemble_m} is out of range; give a number from -10 to 10")
        if self.execute_steps != 1:
            raise TheiaError(f"ensembling predicts at every step; execute 1 step, not {self.execute_steps}")

    @classmethod
    def parse(cls, text: str, *, execute_steps: int, horizon: int) -> "ExecutionMode":
        """Read what an operator wrote, for one policy.

        Args:
            text: `receding:STEPS`, `receding` or nothing for the policy's own number of steps, or
                `ensemble:M`; each may be followed by `,no-latency-compensation`.
            execute_steps: the policy's own number, from its policy.json.
            horizon: actions in one prediction of the policy.

        Raises:
            TheiaError: if it is none of these, or executes more steps than a prediction has actions.
        """
        way, *options = (part.strip() for part in text.split(","))
        if unknown := [option for option in options if option != _UNCOMPENSATED]:
            raise TheiaError(f"execution {text!r} has the unknown option {unknown[0]!r}; give {_FORMS}")
        kind, _, number = way.partition(":")
        compensated = not options
        try:
            if kind == _ENSEMBLE and number:
                return cls(ensemble_m=float(number), latency_compensation=compensated)
            if kind == _RECEDING or not way:
                steps = int(number) if number else execute_steps
            else:
                raise ValueError
        except ValueError:
            raise TheiaError(f"execution {text!r} is unknown; give {_FORMS}") from None
        if steps > horizon:
            raise TheiaError(
                f"execution {text!r} needs {steps} actions of a prediction, but the policy predicts "
                f"{horizon}; give receding:{horizon} or less"
            )
        return cls(steps, latency_compensation=compensated)

    def __str__(self) -> str:
        m = self.ensemble_m
        way = f"{_RECEDING}:{self.execute_steps}" if m is None else f"{_ENSEMBLE}:{m + 0.0:.12g}"
        return way if self.latency_compensation else f"{way},{_UNCOMPENSATED}"
