"""How the pick-and-place task is scored: from what touches the cup, every 10 ms."""

from dataclasses import dataclass

from theia_core.tasks.pick_place import LIFTED_M, SETTLED_S, UPRIGHT_RAD

SCORE_STEP_S = 0.01


@dataclass(frozen=True)
class Moment:
    """What the score is made from.

    Attributes:
        held: whether both pads touch the cup.
        touched: whether the hand touches the cup anywhere.
        supported: whether anything but the hand touches the cup.
        over_counter_m: height of the cup's foot over the worktop.
        in_rack: whether the cup's foot is over the rack's free part.
        on_rack: whether the cup touches the rack's floor.
        tilt_rad: angle of the cup's axis to the vertical.
    """

    held: bool
    touched: bool
    supported: bool
    over_counter_m: float
    in_rack: bool
    on_rack: bool
    tilt_rad: float


class PickPlaceScore:
    """Stages `pick` and `place`; the second needs the first.

    A cup that was thrown, pushed or dropped into the rack from outside was not placed there.
    """

    def __init__(self) -> None:
        """Start a trial."""
        self.stages = {"pick": False, "place": False}
        self._carried_in = False
        self._lifted_s = self._standing_s = 0.0

    def update(self, now: Moment) -> None:
        """Take in what is the case `SCORE_STEP_S` after the last time."""
        lifted = now.held and not now.supported and now.over_counter_m >= LIFTED_M
        self._lifted_s = self._lifted_s + SCORE_STEP_S if lifted else 0.0
        self.stages["pick"] |= self._lifted_s >= SETTLED_S - 1e-9

        if not now.in_rack:
            self._carried_in = False
        elif now.held and self.stages["pick"]:
            self._carried_in = True
        standing = self._carried_in and now.on_rack and not now.touched and now.tilt_rad <= UPRIGHT_RAD
        self._standing_s = self._standing_s + SCORE_STEP_S if standing else 0.0
        self.stages["place"] |= self._standing_s >= SETTLED_S - 1e-9
