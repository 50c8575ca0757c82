"""What went wrong with the robot, as one sentence for people that says what to do."""

import bosdyn.client
from bosdyn.client import auth, estop, exceptions, lease, power, robot_command, time_sync

LEASE_LOST = "the lease is lost"
_BAD_CERTIFICATE = "CERTIFICATE_VERIFY_FAILED"  # how the TLS library says so
_SENTENCE_OF_CERTIFICATE = "the robot shows another certificate than the one that is expected of it"

_SENTENCES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((lease.NoSuchLease,), "no lease; order take_lease"),
    (
        (exceptions.LeaseUseError, lease.LeaseNotOwnedByWallet, lease.LeaseResponseError),
        f"{LEASE_LOST}: another client has taken it, or this one was silent too long; order take_lease",
    ),
    ((auth.InvalidLoginError,), "the robot refuses user name or password"),
    ((auth.TemporarilyLockedOutError,), "too many wrong passwords; the robot wants to be left in peace"),
    ((exceptions.UnauthenticatedError, auth.InvalidTokenError), "the login has expired"),
    ((robot_command.NotPoweredOnError,), "the motors have no power; order power_on"),
    ((robot_command.BehaviorFaultError,), "a behaviour fault; order clear"),
    ((robot_command.NotClearedError,), "the behaviour fault cannot be cleared; see the robot"),
    ((robot_command.ExpiredError,), "a command had expired when it reached the robot"),
    (
        (robot_command.NoTimeSyncError, time_sync.NotEstablishedError, time_sync.TimeSyncError),
        "not in sync with the robot's clock",
    ),
    ((power.EstoppedError,), "an e-stop is pressed; release it"),
    ((power.FaultedError,), "the robot has a fault; order clear"),
    ((estop.MotorsOnError,), "the motors are on, with an e-stop of another program; switch them off first"),
    (
        (exceptions.InvalidClientCertificateError, exceptions.NonexistentAuthorityError),
        _SENTENCE_OF_CERTIFICATE,
    ),
    ((exceptions.TimedOutError,), "the robot did not answer in time"),
    ((exceptions.RpcError,), "no connection to the robot"),
)


def reason_of(error: BaseException) -> str:
    """The sentence for an error of the SDK."""
    if isinstance(error, exceptions.RpcError) and _BAD_CERTIFICATE in str(error.error):
        return _SENTENCE_OF_CERTIFICATE
    for kinds, sentence in _SENTENCES:
        if isinstance(error, kinds):
            return sentence
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


SDK_ERRORS: tuple[type[Exception], ...] = (
    bosdyn.client.Error,
    lease.Error,  # LeaseNotOwnedByWallet and NoSuchLease are no bosdyn.client.Error
)
