"""How smooth executed actions are: the largest jump from one delta to the next, at seams and elsewhere."""

import numpy as np

_KINDS = ("seam_m", "seam_rad", "elsewhere_m", "elsewhere_rad")


class SeamMeter:
    """Compares each executed `ee_delta` action with the one a step before it.

    A seam is where the two come from different predictions; with a prediction at every step all are seams.
    Actions that a refusal or a pause parts are not compared.
    """

    def __init__(self, step_s: float) -> None:
        """Measure actions that are `step_s` apart."""
        self._longest_s = 1.5 * step_s
        self._last: tuple[float, np.ndarray, int] | None = None
        self._largest: dict[str, float | None] = dict.fromkeys(_KINDS)

    def executed(self, time_s: float, action: np.ndarray, prediction: int) -> None:
        """Take an action (7,) as it was executed from `time_s` on, and the number of its prediction."""
        last, self._last = self._last, (time_s, np.asarray(action, dtype=float), prediction)
        if last is None or time_s - last[0] > self._longest_s:
            return
        change = self._last[1] - last[1]
        place = "elsewhere" if prediction == last[2] else "seam"
        for unit, part in (("m", change[:3]), ("rad", change[3:6])):
            kind = f"{place}_{unit}"
            self._largest[kind] = max(self._largest[kind] or 0.0, float(np.linalg.norm(part)))

    def largest(self) -> dict[str, float | None]:
        """The largest jumps so far [m and rad per step], at seams and elsewhere; None where there is none."""
        return dict(self._largest)
