"""When a door counts as opened: the hand must have held the handle and moved the door, not just left it open."""

from dataclasses import dataclass, field

OPEN_RAD = 0.35
"""`open`: the pads held the bar with the door this far (20 degrees) off its frame."""

FULLY_OPEN_RAD = 1.2
"""`fully_open`: after `open`, the hand was on the door when it passed this angle (69 degrees)."""

HOLD_S = 0.2
"""Both pads must have pressed the bar for this long before anything counts."""

_FLICKER_S = 0.06
_THROWN_RAD_S = 2.5


@dataclass
class DoorStages:
    """Latched stages of one episode, fed with contacts.

    A door that swings faster than 2.5 rad/s was struck or thrown; its angle does not count until it is slow
    again. The hand is on the door while pads hold the bar, or any part of the arm touches door or bar.

    Attributes:
        reached: stage name to whether it was reached.
        held_s: how long the pads have been holding the bar, 0 when they do not.
        releases_rad: door angle at each moment in which a held bar was lost.
    """

    reached: dict[str, bool] = field(default_factory=lambda: {"open": False, "fully_open": False})
    held_s: float = 0.0
    releases_rad: list[float] = field(default_factory=list)
    _apart_s: float = 0.0

    @property
    def holding(self) -> bool:
        """Whether the bar has been held long enough to count."""
        return self.held_s >= HOLD_S

    def update(
        self, elapsed_s: float, *, angle_rad: float, rate_rad_s: float, pads_press: bool, hand_touches: bool
    ) -> None:
        """Take what happened during the last `elapsed_s`.

        Args:
            elapsed_s: time since the last update.
            angle_rad: door angle, 0 = shut.
            rate_rad_s: door rate.
            pads_press: whether both pads press the bar.
            hand_touches: whether any part of the arm touches door or bar.
        """
        if pads_press:
            self.held_s += elapsed_s
            self._apart_s = 0.0
        else:
            self._apart_s += elapsed_s
            if self.held_s and self._apart_s > _FLICKER_S:
                if self.holding:
                    self.releases_rad.append(angle_rad)
                self.held_s = 0.0
        if abs(rate_rad_s) > _THROWN_RAD_S:
            return
        if self.holding and angle_rad >= OPEN_RAD:
            self.reached["open"] = True
        if self.reached["open"] and angle_rad >= FULLY_OPEN_RAD and (self.holding or hand_touches):
            self.reached["fully_open"] = True
