"""A mailbox with one place for each sender: the newest message wins, and what nobody took is counted."""

import threading
import time
from collections.abc import Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LatestOfEach(Generic[Item]):
    """Hands the newest item of each sender from the thread that receives to the one that works; never queues.

    Attributes:
        replaced: items that a newer one of the same sender replaced before they were taken.
    """

    def __init__(self, senders: Sequence[str]) -> None:
        """Make an empty place for each of `senders`."""
        self.replaced = 0
        self._senders = tuple(senders)
        self._items: dict[str, Item] = {}
        self._changed = threading.Condition()

    def put(self, item: Item, sender: str) -> None:
        """Leave an item; an untaken one of the same sender is lost and counted."""
        with self._changed:
            self.replaced += sender in self._items
            self._items[sender] = item
            self._changed.notify()

    def take(self, timeout_s: float, together_s: float = 0.0) -> dict[str, Item]:
        """Wait for an item and take what is there, in the order of the senders; empty if none comes in time.

        Args:
            timeout_s: how long to wait for the first item.
            together_s: how long to wait for the other senders' items once one is there.
        """
        with self._changed:
            if not self._items:
                self._changed.wait(timeout_s)
            until_s = time.monotonic() + together_s
            while 0 < len(self._items) < len(self._senders) and (left_s := until_s - time.monotonic()) > 0:
                self._changed.wait(left_s)
            items, self._items = self._items, {}
        return {sender: items[sender] for sender in self._senders if sender in items}

    def clear(self) -> None:
        """Throw away what is there, uncounted."""
        with self._changed:
            self._items = {}
