"""Leases: who may command the robot. There is one resource, the whole body."""

import secrets
import time
from typing import Any

from bosdyn.api import lease_pb2, lease_service_pb2_grpc
from bosdyn.client.lease import Lease

from theia_sim.spot.answers import Service, answer

RESOURCE = "body"
_TIMEOUT_S = 3.0  # a holder that is silent for longer loses its lease
_Status = lease_pb2.LeaseUseResult.Status


class Leases:
    """Who holds the lease. A new epoch begins with every start of the robot: older leases are worth nothing.

    Attributes:
        owner: name of the client that holds it, empty if nobody does.
        timeout_s: how long a holder may be silent.
    """

    def __init__(self, timeout_s: float = _TIMEOUT_S) -> None:
        """Begin with a lease that nobody holds."""
        self.timeout_s = timeout_s
        self.owner = ""
        self._epoch, self._number = secrets.token_hex(8), 0
        self._active: Lease | None = None
        self._revoked = False
        self._heard_s = 0.0

    @property
    def is_held(self) -> bool:
        """Whether somebody holds it."""
        return bool(self.owner)

    @property
    def active(self) -> Lease | None:
        """The newest lease that was seen."""
        return self._active

    def give(self, owner: str) -> lease_pb2.Lease:
        """A new lease for `owner`; all earlier ones are older from now on."""
        self._number += 1
        self.owner, self._revoked, self._heard_s = owner, False, time.monotonic()
        proto = lease_pb2.Lease(
            resource=RESOURCE, epoch=self._epoch, sequence=[self._number], client_names=["root", owner]
        )
        self._active = Lease(proto)
        return proto

    def give_back(self, lease: lease_pb2.Lease) -> bool:
        """Take a lease back; False if it is not the one that is held."""
        if not self.is_held or self._use(lease) != _Status.STATUS_OK:
            return False
        self.owner = ""
        return True

    def use(self, lease: lease_pb2.Lease) -> lease_pb2.LeaseUseResult:
        """Whether a request with this lease may be obeyed; a newer one than the last becomes the newest."""
        result = lease_pb2.LeaseUseResult(attempted_lease=lease, status=self._use(lease))
        if self._active is not None:
            result.previous_lease.CopyFrom(self._active.lease_proto)
        if result.status == _Status.STATUS_OK:
            self._active, self._heard_s = Lease(lease), time.monotonic()
        if self._active is not None:
            result.latest_known_lease.CopyFrom(self._active.lease_proto)
        result.owner.client_name = self.owner
        return result

    def retain(self, lease: lease_pb2.Lease) -> lease_pb2.LeaseUseResult:
        """Hear of the holder; how new its lease is among those that it made itself does not matter."""
        given = lease_pb2.Lease(resource=lease.resource, epoch=lease.epoch, sequence=lease.sequence[:1])
        result = lease_pb2.LeaseUseResult(attempted_lease=lease, status=self._use(given))
        if result.status == _Status.STATUS_OK:
            self._heard_s = time.monotonic()
        if self._active is not None:
            result.latest_known_lease.CopyFrom(self._active.lease_proto)
        result.owner.client_name = self.owner
        return result

    def revoke_if_silent(self) -> bool:
        """Take the lease from a holder that has not been heard of; True if that has just happened."""
        if not self.is_held or time.monotonic() - self._heard_s < self.timeout_s:
            return False
        self.owner, self._revoked = "", True
        return True

    def _use(self, lease: lease_pb2.Lease) -> "_Status":
        if not Lease.is_valid_proto(lease):
            return _Status.STATUS_INVALID_LEASE
        if lease.resource != RESOURCE:
            return _Status.STATUS_UNMANAGED
        if lease.epoch != self._epoch or self._active is None:
            return _Status.STATUS_WRONG_EPOCH
        compared = Lease(lease).compare(self._active)
        if compared is Lease.CompareResult.OLDER:
            return _Status.STATUS_OLDER
        if self._revoked or not self.is_held:
            return _Status.STATUS_REVOKED
        return Lease.compare_result_to_lease_use_result_status(compared, allow_super_leases=True)


class LeaseService(Service, lease_service_pb2_grpc.LeaseServiceServicer):
    """Acquire, take, return and retain."""

    @answer(lease_pb2.AcquireLeaseResponse)
    def AcquireLease(self, request: Any, response: Any) -> None:
        """A lease, if nobody holds one."""
        leases = self.robot.leases
        if request.resource != RESOURCE:
            response.status = response.STATUS_INVALID_RESOURCE
        elif leases.is_held:
            response.status = response.STATUS_RESOURCE_ALREADY_CLAIMED
            response.lease_owner.client_name = leases.owner
        else:
            self._give(request, response)

    @answer(lease_pb2.TakeLeaseResponse)
    def TakeLease(self, request: Any, response: Any) -> None:
        """A lease, whoever holds one."""
        if request.resource != RESOURCE:
            response.status = response.STATUS_INVALID_RESOURCE
            return
        self.robot.stop(f"the lease was taken by {request.header.client_name}")
        self._give(request, response)

    def _give(self, request: Any, response: Any) -> None:
        owner = request.header.client_name
        response.status = response.STATUS_OK
        response.lease.CopyFrom(self.robot.leases.give(owner))
        response.lease_owner.client_name = owner

    @answer(lease_pb2.ReturnLeaseResponse)
    def ReturnLease(self, request: Any, response: Any) -> None:
        """End of a lease; the robot stops."""
        if request.lease.resource != RESOURCE:
            response.status = response.STATUS_INVALID_RESOURCE
        elif self.robot.leases.give_back(request.lease):
            response.status = response.STATUS_OK
            self.robot.stop("the lease was returned")
        else:
            response.status = response.STATUS_NOT_ACTIVE_LEASE

    @answer(lease_pb2.RetainLeaseResponse)
    def RetainLease(self, request: Any, response: Any) -> None:
        """The holder says that it is still there."""
        response.lease_use_result.CopyFrom(self.robot.leases.retain(request.lease))

    @answer(lease_pb2.ListLeasesResponse)
    def ListLeases(self, request: Any, response: Any) -> None:
        """Who holds the lease."""
        leases = self.robot.leases
        resource = response.resources.add(resource=RESOURCE)
        resource.lease_owner.client_name = leases.owner
        if leases.active is not None:
            resource.lease.CopyFrom(leases.active.lease_proto)
        response.resource_tree.resource = RESOURCE
