"""sensor_msgs/JointState to the seven numbers that guard and policy look at."""

from collections.abc import Sequence

import numpy as np
from sensor_msgs.msg import JointState


class JointReader:
    """Picks named joints from messages whose order it learns once."""

    def __init__(self, names: Sequence[str]) -> None:
        """Read the positions of `names`."""
        self.names = tuple(names)
        self._order: tuple[str, ...] = ()
        self._places: list[int] = []

    def positions(self, message: JointState) -> np.ndarray:
        """Positions (n,) float64 in the order of `names`; shorter where the message lacks joints.

        xs_sdk answers short when a motor is overloaded; the caller decides what that means.
        """
        order = tuple(message.name)
        if order != self._order:
            self._order = order
            self._places = [order.index(name) for name in self.names if name in order]
        positions = np.asarray(message.position)
        return positions[[place for place in self._places if place < len(positions)]]
