"""The operator's orders to a guard as Trigger services."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from std_srvs.srv import Trigger

from theia.nodekit.calls import NOT_ACTIVE
from theia.nodekit.lifecycle import ManagedNode
from theia_core.actions.guard_state import GuardMode

Order = Callable[[float], str | None]
"""Obeys at a time of the monotonic clock; returns why not, or None."""


class ShowsMode(Protocol):
    """What an answer is made of."""

    mode: GuardMode
    reason: str


class OrderServices:
    """Services `~/NAME`, which are refused while the node is not active."""

    def __init__(
        self,
        node: ManagedNode,
        guard: ShowsMode,
        orders: Mapping[str, Order],
        publish_change: Callable[[], None],
    ) -> None:
        """Offer the services; `publish_change` is called after each order."""
        self._node, self._guard, self._publish_change = node, guard, publish_change
        self._services = [
            node.create_service(Trigger, f"~/{name}", self._answering(name, order))
            for name, order in orders.items()
        ]

    def close(self) -> None:
        """Offer the services no more."""
        for service in self._services:
            self._node.destroy_service(service)

    def _answering(
        self, name: str, order: Order
    ) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def answer(_request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            if not self._node.is_active:
                response.success, response.message = False, f"{self._node.get_name()} {NOT_ACTIVE}"
                return response
            refusal = order(time.monotonic())
            response.success = refusal is None
            response.message = refusal or f"{self._guard.mode.name}: {self._guard.reason}"
            self._node.get_logger().info(f"{name}: {response.message}")
            self._publish_change()
            return response

        return answer
