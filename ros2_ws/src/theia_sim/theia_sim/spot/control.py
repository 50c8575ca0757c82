"""A line to a running simulator for orders that no robot takes: a socket that only this user can open."""

import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from theia_core.errors import TheiaError

SOCKET = "control.sock"
_ANSWER_S = 10.0


class ControlSocket:
    """Answers one JSON object a connection: {"fault": ...} with {"ok": true, "message": ...}."""

    def __init__(self, folder: Path, obey: Callable[[Mapping[str, Any]], str]) -> None:
        """Listen in `folder`; `obey` raises a TheiaError for an order that makes no sense."""
        self._path = folder / SOCKET
        self._path.unlink(missing_ok=True)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    order = json.loads(self.rfile.readline())
                    if not isinstance(order, dict):
                        raise TheiaError("the order is no JSON object")
                    answer = {"ok": True, "message": obey(order)}
                except (TheiaError, ValueError) as error:
                    answer = {"ok": False, "message": str(error)}
                self.wfile.write(json.dumps(answer).encode() + b"\n")

        before = os.umask(0o177)
        try:
            self._server = socketserver.ThreadingUnixStreamServer(str(self._path), Handler)
        finally:
            os.umask(before)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="spot control", daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


def send_order(folder: Path, order: Mapping[str, Any]) -> str:
    """Give an order to the simulator that has its folder there, and return what it says.

    Raises:
        TheiaError: if none runs, or it refuses.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_ANSWER_S)
        try:
            line.connect(str(folder / SOCKET))
            line.sendall(json.dumps(order).encode() + b"\n")
            answer = json.loads(line.makefile().readline())
        except (OSError, ValueError) as error:
            raise TheiaError(
                f"no simulated Spot answers in {folder} ({error}); start one with: theia sim spot"
            ) from None
    if not answer["ok"]:
        raise TheiaError(answer["message"])
    return answer["message"]
