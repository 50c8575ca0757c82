"""How the microwave task is scored: from what touches the food and the door, every 10 ms."""

from dataclasses import dataclass

from theia_core.tasks.microwave import CLOSED_RAD, LIFTED_M, PUSHED_SHARE, SETTLED_S

SCORE_STEP_S = 0.01
_AT_DOOR_S = 0.1  # a push may lift off the door for this long


@dataclass(frozen=True)
class Moment:
    """What the score is made from.

    Attributes:
        held: whether both pads touch the food.
        touched: whether the hand touches the food anywhere.
        supported: whether anything but the hand touches the food.
        over_rim_m: height of the food's middle over the pot's rim.
        inside: whether the food's middle is within the microwave.
        on_floor: whether the food touches the microwave's floor.
        door_rad: angle of the door, 0 when closed.
        hand_at_door: whether the hand touches the door.
    """

    held: bool
    touched: bool
    supported: bool
    over_rim_m: float
    inside: bool
    on_floor: bool
    door_rad: float
    hand_at_door: bool


class MicrowaveScore:
    """Stages `pick`, `place`, `close_door`; a stage needs the one before.

    A food that was thrown or pushed into the microwave was not placed there, and a door that was struck shut
    was not closed.
    """

    def __init__(self, door_rad: float) -> None:
        """Start a trial with the door open by `door_rad`."""
        self.stages = {"pick": False, "place": False, "close_door": False}
        self.pushed_rad = 0.0
        self._start_rad = self._last_rad = door_rad
        self._carried_in = False
        self._lifted_s = self._lying_s = self._closed_s = 0.0
        self._off_door_s = _AT_DOOR_S

    def update(self, now: Moment) -> None:
        """Take in what is the case `SCORE_STEP_S` after the last time."""
        stages = self.stages
        lifted = now.held and not now.supported and now.over_rim_m >= LIFTED_M
        self._lifted_s = self._lifted_s + SCORE_STEP_S if lifted else 0.0
        stages["pick"] |= self._lifted_s >= SETTLED_S

        if not now.inside:
            self._carried_in = False
        elif now.held and stages["pick"]:
            self._carried_in = True
        lying = self._carried_in and now.on_floor and not now.touched
        self._lying_s = self._lying_s + SCORE_STEP_S if lying else 0.0
        stages["place"] |= self._lying_s >= SETTLED_S

        self._off_door_s = 0.0 if now.hand_at_door else self._off_door_s + SCORE_STEP_S
        if self._off_door_s < _AT_DOOR_S:
            self.pushed_rad += self._last_rad - now.door_rad
        self._last_rad = now.door_rad
        way_rad = self._start_rad - now.door_rad
        closed = now.door_rad <= CLOSED_RAD and now.inside and self.pushed_rad >= PUSHED_SHARE * way_rad
        self._closed_s = self._closed_s + SCORE_STEP_S if closed and stages["place"] else 0.0
        stages["close_door"] |= self._closed_s >= SETTLED_S
