"""Faults of the driver that a test or an operator orders, on a topic of the simulation's own.

    {"fault": "usb_stall", "seconds": 2}     as std_msgs/String on /widowx_sim/inject

| fault           | what happens                                                                          |
|-----------------|---------------------------------------------------------------------------------------|
| `overload`      | motor `joint` loses its torque and answers no more, until reboot_motors               |
| `short_replies` | the next `count` joint_states hold `values` (5) values only                           |
| `usb_stall`     | for `seconds` no joint_states, commands and services are lost; the motors keep goals  |
| `drop_commands` | the next `count` commands are lost                                                    |
| `clear`         | ends all of these but an overload                                                     |
"""

import time
from collections.abc import Callable
from typing import Any

from theia_sim.fault_orders import injected, number, parse_order

_FIELDS: dict[str, dict[str, Any]] = {
    "overload": {"joint": None},
    "short_replies": {"count": None, "values": 5},
    "usb_stall": {"seconds": None},
    "drop_commands": {"count": None},
    "clear": {},
}


class Faults:
    """What is wrong with the line to the motors at present; one lock guards it and the motors."""

    def __init__(self, overload: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without faults; `overload` gives a motor its hardware error."""
        self._overload, self._clock = overload, clock
        self._clear()

    def inject(self, order: dict[str, Any]) -> str:
        """Begin a fault and say so.

        Args:
            order: the fault's name under "fault", and its fields.

        Raises:
            TheiaError: if fault or fields are unknown or out of range.
        """
        fault, values = parse_order(order, _FIELDS)
        if fault == "overload":
            self._overload(str(values["joint"]))
        elif fault == "short_replies":
            count, length = number(values, "count"), number(values, "values", most=8)
            self._short_replies, self._short_length = int(count), int(length)
        elif fault == "usb_stall":
            self._stalled_until_s = self._clock() + number(values, "seconds")
        elif fault == "drop_commands":
            self._to_drop = int(number(values, "count"))
        else:
            self._clear()
        return injected(fault, values)

    @property
    def stalled(self) -> bool:
        """Whether nothing gets through in either direction."""
        return self._clock() < self._stalled_until_s

    def takes_command(self) -> bool:
        """Whether a command that has just come reaches the motors; counts it."""
        if self._to_drop > 0:
            self._to_drop -= 1
            return False
        return not self.stalled

    def reply_length(self) -> int | None:
        """Length of the reply that is about to be sent if it is short, else None; counts it."""
        if self._short_replies <= 0:
            return None
        self._short_replies -= 1
        return self._short_length

    def _clear(self) -> None:
        self._stalled_until_s = 0.0
        self._short_replies, self._short_length, self._to_drop = 0, 0, 0
