"""The operator's terminal: shows what the desk asks and sends what is typed."""

import json
import os
import select
import sys
import time
import urllib.error
import urllib.request
from typing import Any, TextIO

from theia.operator.server import OPERATOR_HEADER
from theia_core.errors import TheiaError

_LOOK_S = 0.3
_PATIENCE_S = 30.0


class OperatorTerminal:
    """Follows a desk at `url` until the evaluation ends."""

    def __init__(self, url: str, source: TextIO = sys.stdin, out: TextIO = sys.stdout) -> None:
        """Read lines from `source`, which must be a real file, and write to `out`."""
        self._url, self._in, self._out = url.rstrip("/"), source, out
        self._rest = b""
        self._asked: int | None = None
        self._question: dict[str, Any] | None = None
        self._said, self._heading = 0, ""

    def run(self) -> int:
        """Go on until the evaluation does not answer any more, or the input ends.

        Raises:
            TheiaError: if nobody answers at the URL within half a minute.
        """
        deadline_s, was_there = time.monotonic() + _PATIENCE_S, False
        while True:
            try:
                self._show(self._get("/state"))
                was_there = True
            except (OSError, ValueError):
                if was_there:
                    self._print("the evaluation has ended")
                    return 0
                if time.monotonic() > deadline_s:
                    raise TheiaError(f"no evaluation answers at {self._url}; is it running?") from None
            readable, _, _ = select.select([self._in], [], [], _LOOK_S)
            if readable:
                # Not readline: what it reads ahead, select does not know of.
                typed = os.read(self._in.fileno(), 4096)
                if not typed:
                    return 0
                *lines, self._rest = (self._rest + typed).split(b"\n")
                for line in lines:
                    self._obey(line.decode(errors="replace").strip())

    def _show(self, state: dict[str, Any]) -> None:
        for line in state["lines"]:
            if line["number"] > self._said:
                self._said = line["number"]
                self._print(line["text"])
        if state["heading"] != self._heading:
            self._heading = state["heading"]
            self._print(f"\n== {self._heading}")
        question = state["question"]
        number = question["number"] if question else None
        if number == self._asked:
            return
        self._asked, self._question = number, question
        if question:
            self._print(f"\n{question['text']}")
            for place, step in enumerate(question["steps"], start=1):
                self._print(f"   {place}. {step}")
            for place, choice in enumerate(question["choices"], start=1):
                self._print(f"  [{place}] {choice['label']}{' + reason' if choice['needs_text'] else ''}")
            self._print("  number, and words after it if you like; stop! is the emergency stop")

    def _obey(self, line: str) -> None:
        if not line:
            return
        if line.lower() in ("stop!", "stop", "!"):
            self._post("/emergency_stop", {})
            return
        digits, _, text = line.partition(" ")
        choices = self._question["choices"] if self._question else []
        if not digits.isdigit() or not 1 <= int(digits) <= len(choices):
            self._print(f"{line!r} is no answer; type the number in front of one, or stop!")
            return
        choice = choices[int(digits) - 1]["key"]
        self._post("/answer", {"number": self._asked, "choice": choice, "text": text})

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self._url + path, timeout=5.0) as answer:
            return json.load(answer)

    def _post(self, path: str, values: dict[str, Any]) -> None:
        request = urllib.request.Request(
            self._url + path,
            json.dumps(values).encode(),
            {"Content-Type": "application/json", OPERATOR_HEADER: "terminal"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10.0) as answer:
                said = json.load(answer)
        except urllib.error.HTTPError as error:
            said = json.load(error)
        except OSError as error:
            said = {"error": f"not sent: {error}"}
        if text := said.get("error") or said.get("said"):
            self._print(text)

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)
