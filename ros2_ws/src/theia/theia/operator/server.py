"""The desk over HTTP: the page, its state, the pictures, and answers; for one operator, on this machine."""

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from theia.operator.desk import Desk
from theia.operator.page import PAGE
from theia_core.errors import TheiaError

# A page of another site cannot set this header without asking first, and nobody answers such a question.
OPERATOR_HEADER = "X-Theia-Operator"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LARGEST_BODY = 10_000


class DeskServer:
    """Serves a desk from threads of its own."""

    def __init__(self, desk: Desk, host: str, port: int) -> None:
        """Listen.

        Args:
            desk: what is served.
            host: address to listen at; another than a loopback one lets others on the network answer.
            port: TCP port; 0 lets the system choose.

        Raises:
            TheiaError: if the port cannot be had.
        """
        handler = type("Handler", (_Handler,), {"desk": desk, "only_local": host in _LOOPBACK})
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise TheiaError(
                f"cannot listen at {host}:{port}: {error.strerror}; choose another port with port:="
            ) from None
        self._server.daemon_threads = True
        shown = "127.0.0.1" if host in ("", "0.0.0.0") else host
        self.url = f"http://{shown}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="desk", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2.0)


class _Handler(BaseHTTPRequestHandler):
    desk: Desk
    only_local: bool
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The page, its state or a picture."""
        if not self._is_for_us():
            return
        path = self.path.partition("?")[0]
        if path == "/":
            self._send(PAGE.encode(), "text/html; charset=utf-8")
        elif path == "/state":
            self._send_json(self.desk.state())
        elif path in ("/camera.jpg", "/ghost.jpg"):
            picture = self.desk.camera() if path == "/camera.jpg" else self.desk.ghost
            if picture is None:
                self._send_json({"error": "there is no picture"}, HTTPStatus.NOT_FOUND)
            else:
                self._send(picture, "image/jpeg")
        else:
            self._send_json({"error": f"there is nothing at {path}"}, HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """An answer, or the emergency stop."""
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(size, _LARGEST_BODY))
        if not self._is_for_us():
            return
        if self.headers.get(OPERATOR_HEADER) is None:
            self._send_json({"error": f"the header {OPERATOR_HEADER} is missing"}, HTTPStatus.FORBIDDEN)
            return
        try:
            if self.path == "/emergency_stop":
                self._send_json({"said": self.desk.emergency_stop()})
            elif self.path == "/answer":
                values = json.loads(body)
                self.desk.answer(int(values["number"]), str(values["choice"]), str(values.get("text", "")))
                self._send_json({})
            else:
                self._send_json({"error": f"there is nothing at {self.path}"}, HTTPStatus.NOT_FOUND)
        except TheiaError as error:
            self._send_json({"error": str(error)}, HTTPStatus.CONFLICT)
        except (ValueError, KeyError, TypeError):
            self._send_json({"error": "an answer needs number, choice and text"}, HTTPStatus.BAD_REQUEST)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the node's output is for the evaluation."""

    def _is_for_us(self) -> bool:
        """Whether the request names this machine; a foreign name can be made to lead here by its owner."""
        name = (self.headers.get("Host") or "").rsplit(":", 1)[0].strip("[]")
        if self.only_local and name not in _LOOPBACK:
            self._send_json({"error": f"this is not {name}"}, HTTPStatus.FORBIDDEN)
            return False
        return True

    def _send_json(self, values: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(values).encode(), "application/json", status)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        self.end_headers()
        self.wfile.write(body)
