"""Lease and e-stop: who is in charge of the robot, and what stops it when this process is gone."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bosdyn.client.estop import EstopClient, EstopEndpoint, EstopKeepAlive
from bosdyn.client.lease import LeaseClient, LeaseKeepAlive

from theia.spot.reasons import SDK_ERRORS

_CALL_S = 3.0
_RETAIN_PERIOD_S = 1.0


class Authority:
    """Holds the lease and an e-stop endpoint once they are ordered; calls wait, from any one thread."""

    def __init__(self, robot: Any, estop_timeout_s: float, on_lost: Callable[[Exception], None]) -> None:
        """Hold nothing yet.

        Args:
            robot: the SDK's robot object.
            estop_timeout_s: silence of this process after which the robot sits down and cuts its motors.
            on_lost: told, from another thread, of an error when the lease is retained.
        """
        self._robot, self._timeout_s, self._on_lost = robot, estop_timeout_s, on_lost
        self._lease_client = robot.ensure_client(LeaseClient.default_service_name)
        self._lease: LeaseKeepAlive | None = None
        self._estop: EstopKeepAlive | None = None

    @property
    def has_lease(self) -> bool:
        """Whether the lease is held, as far as is known here."""
        try:
            return self._lease is not None and self._robot.lease_wallet.get_lease() is not None
        except SDK_ERRORS:
            return False

    def take_lease(self) -> None:
        """Take the lease from whoever has it; no command may be under way.

        The answer to one that was sent with the lease before would make the SDK believe that it is lost.
        """
        if self.has_lease:
            with suppress(*SDK_ERRORS):
                self._lease_client.retain_lease(self._robot.lease_wallet.get_lease(), timeout=_CALL_S)
                return
        self._end_lease()
        self._lease_client.take(timeout=_CALL_S)
        self._lease = LeaseKeepAlive(
            self._lease_client,
            rpc_interval_seconds=_RETAIN_PERIOD_S,
            on_failure_callback=self._on_lost,
            warnings=False,
            must_acquire=True,
            return_at_exit=False,
        )

    def return_lease(self) -> None:
        """Give the lease back, if it is held."""
        held = self._robot.lease_wallet.get_lease() if self.has_lease else None
        self._end_lease()
        if held is not None:
            self._lease_client.return_lease(held, timeout=_CALL_S)

    def owner(self) -> str:
        """Name of the client that has the lease now."""
        resources = self._lease_client.list_leases(timeout=_CALL_S)
        return next((r.lease_owner.client_name for r in resources if r.resource == "body"), "")

    def allow_power(self, motors_on: bool) -> None:
        """Release this process's e-stop, which with the motors off becomes the robot's only endpoint."""
        if self._estop is not None and not motors_on:
            self._end_estop()
        if self._estop is None:
            client = self._robot.ensure_client(EstopClient.default_service_name)
            endpoint = EstopEndpoint(client, "theia spot_bridge", self._timeout_s)
            endpoint.force_simple_setup()
            self._estop = EstopKeepAlive(endpoint, rpc_timeout_seconds=_CALL_S)
            self._estop.logger.setLevel("CRITICAL")
        self._estop.allow()

    def press_estop(self) -> None:
        """Let the robot sit down and cut its motors; nothing happens if this process is not its endpoint."""
        if self._estop is not None:
            self._estop.settle_then_cut()

    @property
    def is_endpoint(self) -> bool:
        """Whether this process is the robot's e-stop endpoint."""
        return self._estop is not None

    def close(self) -> None:
        """Give back the lease and check in no more."""
        with suppress(*SDK_ERRORS):
            self.return_lease()
        self._end_estop()

    def _end_lease(self) -> None:
        if self._lease is not None:
            self._lease.shutdown()
        self._lease = None

    def _end_estop(self) -> None:
        if self._estop is not None:
            self._estop.shutdown()
        self._estop = None
