"""User name and password of the robot: from a file that only its owner can read, or from the environment.

Never a parameter of a node, which anybody on the network can read, and never in a log.
"""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from theia_core.errors import TheiaError

USER, PASSWORD = "BOSDYN_CLIENT_USERNAME", "BOSDYN_CLIENT_PASSWORD"


class NoLoginFile(TheiaError):
    """The file is not there, or not yet: a simulator makes it when it starts."""


@dataclass(frozen=True)
class Login:
    """User name and password; neither shows in a traceback or log."""

    username: str = field(repr=False)
    password: str = field(repr=False)


def read_login(file: str = "", environment: Mapping[str, str] = os.environ) -> Login:
    """The login in `file`, or that of the environment if no file is named.

    Args:
        file: a JSON object with username and password; permissions must be 0600 or less.
        environment: where BOSDYN_CLIENT_USERNAME and BOSDYN_CLIENT_PASSWORD are looked up.

    Raises:
        NoLoginFile: if the file is not there.
        TheiaError: if there is none, or others can read the file.
    """
    if not file:
        username, password = environment.get(USER, ""), environment.get(PASSWORD, "")
        if not (username and password):
            raise TheiaError(
                f"no login for the robot: set {USER} and {PASSWORD}, or name a file with credentials_file"
            )
        return Login(username, password)
    path = Path(file).expanduser()
    try:
        with path.open() as opened:  # the permissions of what is read, whatever the name leads to later
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read()
    except FileNotFoundError:
        raise NoLoginFile(f"there is no login in {path}") from None
    except OSError as error:
        raise TheiaError(f"cannot read the login in {path}: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise TheiaError(
            f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}); make it yours alone: "
            f"chmod 600 {path}"
        )
    try:
        values = json.loads(text)
        return Login(str(values["username"]), str(values["password"]))
    except (ValueError, KeyError, TypeError):
        raise TheiaError(f'{path} is no login; it must be {{"username": "...", "password": "..."}}') from None
