"""How smooth executed actions are: the largest jump from one to the next, at seams and elsewhere."""

import numpy as np

from theia_core.actions.rotations import angle_between_rad, matrix_from_euler, matrix_from_rotation_6d
from theia_core.actions.spaces import EE_DELTA, EE_POSE, ActionSpace

_KINDS = ("seam_m", "seam_rad", "elsewhere_m", "elsewhere_rad")


class SeamMeter:
    """Compares each executed action with the one a step before it.

    For `ee_delta` these are jumps of the velocity, for `ee_pose` of the hand's goal.

    A seam is where the two come from different predictions; with a prediction at every step all are seams.
    Actions that a refusal or a pause parts are not compared. The gripper is left out: it is meant to jump.
    """

    def __init__(self, step_s: float, space: ActionSpace = EE_DELTA) -> None:
        """Measure actions of a space that are `step_s` apart."""
        self._absolute = space is EE_POSE
        self._longest_s = 1.5 * step_s
        self._last: tuple[float, np.ndarray, int] | None = None
        self._largest: dict[str, float | None] = dict.fromkeys(_KINDS)

    def executed(self, time_s: float, action: np.ndarray, prediction: int) -> None:
        """Take an action (D,) as it was executed from `time_s` on, and the number of its prediction."""
        last, self._last = self._last, (time_s, np.asarray(action, dtype=float), prediction)
        if last is None or time_s - last[0] > self._longest_s:
            return
        _, before, its_prediction = last
        after = self._last[1]
        place = "elsewhere" if prediction == its_prediction else "seam"
        turned_rad = angle_between_rad(self._rotation(before), self._rotation(after))
        self._keep_larger(f"{place}_m", float(np.linalg.norm(after[:3] - before[:3])))
        self._keep_larger(f"{place}_rad", turned_rad)

    def largest(self) -> dict[str, float | None]:
        """The largest jumps so far.

        Returns:
            seam_m, elsewhere_m: length of the change of the position (delta) [m per step]; seam_rad,
            elsewhere_rad: angle between the two rotations (deltas) [rad per step]. None where nothing was
            compared.
        """
        return dict(self._largest)

    def _rotation(self, action: np.ndarray) -> np.ndarray:
        return matrix_from_rotation_6d(action[3:9]) if self._absolute else matrix_from_euler(action[3:6])

    def _keep_larger(self, kind: str, jump: float) -> None:
        self._largest[kind] = max(self._largest[kind] or 0.0, jump)
