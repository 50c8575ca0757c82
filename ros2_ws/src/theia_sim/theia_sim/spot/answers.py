"""The frame of every answer: one request at a time, header with the robot's times."""

import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import grpc
from bosdyn.api import header_pb2

from theia_sim.spot.clock import NS

if TYPE_CHECKING:
    from theia_sim.spot.robot import SimulatedSpot


class Service:
    """Base of the services; `robot` is what they all share."""

    def __init__(self, robot: "SimulatedSpot") -> None:
        """Serve `robot`."""
        self.robot = robot


class InvalidRequest(ValueError):
    """The request makes no sense; its text goes into the header of the answer."""


def answer(
    response_type: type, *, locked: bool = True
) -> Callable[[Callable[..., None]], Callable[..., Any]]:
    """Turn `method(service, request, response)` into a handler that fills the header.

    Args:
        response_type: message of the answer.
        locked: hold the robot's lock meanwhile.
    """

    def decorate(method: Callable[..., None]) -> Callable[..., Any]:
        @functools.wraps(method)
        def handler(self: Service, request: Any, context: grpc.ServicerContext) -> Any:
            clock = self.robot.clock
            received_ns = clock.now_ns()
            response = response_type()
            header: header_pb2.ResponseHeader = response.header
            header.error.code = header_pb2.CommonError.CODE_OK
            try:
                with self.robot.lock if locked else nullcontext():
                    method(self, request, response)
            except InvalidRequest as error:
                header.error.code = header_pb2.CommonError.CODE_INVALID_REQUEST
                header.error.message = str(error)
            header.request_header.CopyFrom(request.header)
            set_ns(header.request_received_timestamp, received_ns)
            set_ns(header.response_timestamp, clock.now_ns())
            return response

        return handler

    return decorate


def set_ns(timestamp: Any, nanoseconds: int) -> None:
    """Write a time into a Timestamp."""
    timestamp.seconds, timestamp.nanos = divmod(nanoseconds, NS)


def set_s(message: Any, seconds: float) -> None:
    """Write seconds into a Timestamp or Duration."""
    set_ns(message, round(seconds * NS))


def to_s(message: Any) -> float:
    """Seconds of a Timestamp or Duration."""
    return message.seconds + message.nanos / NS
