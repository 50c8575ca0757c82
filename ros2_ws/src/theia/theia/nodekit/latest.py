"""A mailbox for one: the newest message wins, and what nobody took is counted."""

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Latest(Generic[Item]):
    """Hands the newest item from the thread that receives to the thread that works; never queues.

    Attributes:
        replaced: items that a newer one replaced before they were taken.
    """

    def __init__(self) -> None:
        self.replaced = 0
        self._item: Item | None = None
        self._changed = threading.Condition()

    def put(self, item: Item) -> None:
        """Leave an item; an untaken one is lost and counted."""
        with self._changed:
            if self._item is not None:
                self.replaced += 1
            self._item = item
            self._changed.notify()

    def take(self, timeout_s: float) -> Item | None:
        """Wait for an item and take it; None if none comes in time."""
        with self._changed:
            if self._item is None:
                self._changed.wait(timeout_s)
            item, self._item = self._item, None
            return item

    def clear(self) -> None:
        """Throw away what is there, uncounted."""
        with self._changed:
            self._item = None
