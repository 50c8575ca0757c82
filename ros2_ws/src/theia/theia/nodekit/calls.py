"""Service calls from a thread that may wait, while another thread runs the callbacks."""

import threading
import time
from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from std_srvs.srv import Trigger

from theia_core.errors import TheiaError


class ServiceSilent(TheiaError):
    """A service is absent or does not answer."""


def call(client: Client, request: Any, *, wait_s: float = 5.0, answer_s: float = 10.0) -> Any:
    """Call a service and wait for the answer; never from the thread that runs the callbacks.

    Args:
        client: client of the service.
        request: its request.
        wait_s: how long to wait for the service to appear.
        answer_s: how long to wait for the answer.

    Raises:
        ServiceSilent: if either takes longer.
    """
    if not client.wait_for_service(wait_s):
        raise ServiceSilent(
            f"service {client.srv_name} is not there after {wait_s:.0f} s: is its node running?"
        )
    answered = threading.Event()
    future = client.call_async(request)
    future.add_done_callback(lambda _: answered.set())
    if not answered.wait(answer_s):
        client.remove_pending_request(future)
        raise ServiceSilent(f"service {client.srv_name} did not answer within {answer_s:.0f} s")
    return future.result()


UNDER_WAY = "is under way; wait"
"""Part of a refusal that will be none when another order has been carried out."""
NOT_ACTIVE = "is not active"
"""Part of a refusal that will be none when the node that was asked has come up."""

_FREE_S, _AGAIN_S = 30.0, 0.1


def order_when_free(node: Node, clients: dict[str, Client], name: str) -> str:
    """`trigger`, again and again while another order is under way or the node comes up.

    Raises:
        TheiaError: as `trigger`, or if that takes too long.
    """
    give_up_s = time.monotonic() + _FREE_S
    while True:
        try:
            return trigger(node, clients, name)
        except TheiaError as error:
            passes = UNDER_WAY in str(error) or NOT_ACTIVE in str(error)
            if not passes or time.monotonic() > give_up_s:
                raise
        time.sleep(_AGAIN_S)


def trigger(node: Node, clients: dict[str, Client], name: str, **times: float) -> str:
    """Call the std_srvs/Trigger service `name` and return its message; clients are kept in `clients`.

    Raises:
        TheiaError: if it is absent, silent or refuses.
    """
    if name not in clients:
        clients[name] = node.create_client(Trigger, name)
    response = call(clients[name], Trigger.Request(), **times)
    if not response.success:
        raise TheiaError(f"{name} refused: {response.message}")
    return response.message
