"""A self-signed certificate of the robot's kind, and the login that goes with it, made anew at each start."""

import datetime
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from theia_core.files import whole_file

CERTIFICATE, CREDENTIALS = "robot.crt", "credentials.json"
_DAYS = 30


@dataclass(frozen=True)
class Identity:
    """What a server shows and what it lets in; the key never leaves the process.

    Attributes:
        certificate: PEM, for `*.spot.robot`, which is what bosdyn-client asks for.
        key: PEM of its private key.
        passwords: user name -> password.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    passwords: dict[str, str] = field(repr=False)


def new_identity() -> Identity:
    """A new key, certificate and password; the login in BOSDYN_CLIENT_USERNAME/_PASSWORD is let in, too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated Spot")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("*.spot.robot")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    passwords = {"user": secrets.token_urlsafe(18)}
    user, password = (os.environ.get(f"BOSDYN_CLIENT_{what}") for what in ("USERNAME", "PASSWORD"))
    if user and password:
        passwords[user] = password
    return Identity(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        passwords,
    )


def write_identity(identity: Identity, folder: Path) -> None:
    """Leave the certificate, and a login that only this user can read, where clients of this machine look."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole_file(folder / CERTIFICATE) as file:
        file.write(identity.certificate)
    path = folder / CREDENTIALS
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"username": "user", "password": identity.passwords["user"]}, file)
