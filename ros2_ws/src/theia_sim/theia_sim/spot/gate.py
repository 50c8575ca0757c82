"""What every request passes: the network, and the check of its token."""

import secrets
import time
from collections.abc import Callable
from typing import Any

import grpc

_OPEN = ("/bosdyn.api.AuthService/", "/bosdyn.api.RobotIdService/")
_LOOK_S = 0.02


class Tokens:
    """User tokens that the robot has given out; they live for `lifetime_s`."""

    def __init__(self, lifetime_s: float = 12 * 3600.0) -> None:
        """Begin without tokens."""
        self.lifetime_s = lifetime_s
        self._until_s: dict[str, float] = {}

    def issue(self) -> str:
        """A new token."""
        token = secrets.token_urlsafe(24)
        self._until_s[token] = time.monotonic() + self.lifetime_s
        return token

    def is_valid(self, token: str) -> bool:
        """Whether a token was issued here and has not expired."""
        return time.monotonic() < self._until_s.get(token, 0.0)

    def revoke_all(self) -> None:
        """Let every token expire now."""
        self._until_s.clear()


class Network:
    """What is wrong with the network at present."""

    def __init__(self) -> None:
        """Begin with a good one."""
        self._down_until_s = self._slow_until_s = 0.0
        self._delay_s = 0.0

    def go_down(self, seconds: float) -> None:
        """Let nothing through for so long."""
        self._down_until_s = time.monotonic() + seconds

    def slow_down(self, delay_s: float, seconds: float) -> None:
        """Let everything through late for so long, what nobody waits for any more included."""
        self._delay_s, self._slow_until_s = delay_s, time.monotonic() + seconds

    def mend(self) -> None:
        """Let everything through at once again."""
        self._down_until_s = self._slow_until_s = 0.0

    def pass_on(self, context: grpc.ServicerContext) -> None:
        """Wait as long as a request takes; one whose client gives up during an outage never arrives."""
        if time.monotonic() < self._slow_until_s:
            time.sleep(self._delay_s)
        if time.monotonic() >= self._down_until_s:
            return
        while time.monotonic() < self._down_until_s and context.is_active():
            time.sleep(_LOOK_S)
        if not context.is_active():
            context.abort(grpc.StatusCode.UNAVAILABLE, "the network is down")


class Gate(grpc.ServerInterceptor):
    """Stands before every service of the server."""

    def __init__(self, network: Network, tokens: Tokens) -> None:
        """Let in who has a token."""
        self._network, self._tokens = network, tokens

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        """Called by grpc for each request."""
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        method = handler_call_details.method
        bearer = dict(handler_call_details.invocation_metadata or ()).get("authorization", "")
        token = str(bearer).removeprefix("Bearer ")

        def guarded(request: Any, context: grpc.ServicerContext) -> Any:
            self._network.pass_on(context)
            if not method.startswith(_OPEN) and not self._tokens.is_valid(token):
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "the user token is missing or has expired")
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            guarded, handler.request_deserializer, handler.response_serializer
        )
