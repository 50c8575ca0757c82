"""Time synchronisation: the skew of each client's clock from the round trips that it reports."""

import secrets
from collections import deque
from typing import Any

from bosdyn.api import time_sync_pb2, time_sync_service_pb2_grpc

from theia_sim.spot.answers import Service, answer, set_ns, set_s
from theia_sim.spot.clock import NS

_SAMPLES, _NEEDED = 10, 3
_JUMP_S = 0.02  # what no jitter explains: one of the two clocks was set


class TimeSync:
    """The clients' round trips by clock identifier."""

    def __init__(self) -> None:
        """Begin without clients."""
        self._samples: dict[str, deque[tuple[float, float]]] = {}

    def knows(self, identifier: str) -> bool:
        """Whether a client is in sync."""
        return len(self._samples.get(identifier, ())) >= _NEEDED

    def join(self, identifier: str) -> str:
        """The client's identifier; a new one for a new client, or for one that came before a restart."""
        if identifier not in self._samples:
            identifier = secrets.token_hex(8)
            self._samples[identifier] = deque(maxlen=_SAMPLES)
        return identifier

    def add(self, identifier: str, round_trip: time_sync_pb2.TimeSyncRoundTrip) -> None:
        """Take a round trip."""
        client_tx, server_rx, server_tx, client_rx = (
            stamp.seconds * NS + stamp.nanos
            for stamp in (
                round_trip.client_tx,
                round_trip.server_rx,
                round_trip.server_tx,
                round_trip.client_rx,
            )
        )
        took_s = ((client_rx - client_tx) - (server_tx - server_rx)) / NS
        skew_s = ((server_rx - client_tx) + (server_tx - client_rx)) / 2 / NS
        samples = self._samples[identifier]
        best = self.best(identifier)
        if best is not None and abs(skew_s - best[1]) > _JUMP_S + took_s + best[0]:
            samples.clear()
        samples.append((took_s, skew_s))

    def best(self, identifier: str) -> tuple[float, float] | None:
        """Round trip and skew [s] of the quickest round trip."""
        return min(self._samples[identifier], default=None)


class TimeSyncService(Service, time_sync_service_pb2_grpc.TimeSyncServiceServicer):
    """Clients call again and again, with their last round trip."""

    @answer(time_sync_pb2.TimeSyncUpdateResponse)
    def TimeSyncUpdate(self, request: Any, response: Any) -> None:
        """Take a round trip and give the best estimate."""
        sync = self.robot.time_sync
        known = sync.join(request.clock_identifier)
        if known == request.clock_identifier and request.HasField("previous_round_trip"):
            sync.add(known, request.previous_round_trip)
        response.clock_identifier = known
        state = response.state
        state.status = state.STATUS_OK if sync.knows(known) else state.STATUS_MORE_SAMPLES_NEEDED
        if (best := sync.best(known)) is not None:
            set_s(state.best_estimate.round_trip_time, max(best[0], 0.0))
            set_s(state.best_estimate.clock_skew, best[1])
            _normalise(state.best_estimate.clock_skew)
            response.previous_estimate.CopyFrom(state.best_estimate)
        set_ns(state.measurement_time, self.robot.clock.now_ns())


def _normalise(duration: Any) -> None:
    """Give seconds and nanoseconds of a Duration the same sign, as protobuf wants it."""
    if duration.seconds < 0 < duration.nanos:
        duration.seconds += 1
        duration.nanos -= NS
