"""The PWM gripper: pushes hard while the fingers move, then only as much as a grip needs."""

import numpy as np

from theia_core.actions.profile import GripperLimits


class GripperDrive:
    """Which way the gripper pushes, and how hard. Full PWM ends `settle_s` after a change, in every mode."""

    def __init__(self, limits: GripperLimits) -> None:
        """Open, at the holding level."""
        self._limits = limits
        self._open, self._since_s = True, -np.inf

    def open(self, now_s: float) -> None:
        """Begin to open, unless it is opening already."""
        if not self._open or now_s - self._since_s >= self._limits.settle_s:
            self._open, self._since_s = True, now_s

    def follow(self, now_s: float, value: float) -> None:
        """Follow an action's gripper value, 1 = open, with hysteresis; only a change pushes at full PWM."""
        limits = self._limits
        wanted = value > limits.open_above or (self._open and value >= limits.close_below)
        if wanted != self._open:
            self._open, self._since_s = wanted, now_s

    def relax(self) -> None:
        """Go to the holding level at once: nobody may be there to do it later."""
        self._since_s = -np.inf

    def pwm(self, now_s: float) -> float:
        """PWM at `now_s`, + opens, - closes."""
        limits = self._limits
        pwm = limits.pwm if now_s - self._since_s < limits.settle_s else limits.hold_pwm
        return pwm if self._open else -pwm
