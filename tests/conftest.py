"""A real headless browser for pages, spoken to over its own pipe: no port, no driver."""

import base64
import contextlib
import itertools
import json
import os
import subprocess
import time
from pathlib import Path

import pytest


class Page:
    """One page in a headless Chromium, and what it did: requests, console messages, errors."""

    def __init__(self, chromium, flags, profile):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()

        def hand_over():
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        self.process = subprocess.Popen(
            [chromium, *flags, f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=hand_over,
            pass_fds=(3, 4),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._out, self._in = ours_out, ours_in
        os.set_blocking(self._in, False)
        self._rest, self._numbers, self._session = b"", itertools.count(1), None
        self.events = []
        (target,) = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def open(self, url, width=1280, height=900, mobile=False):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait_for(lambda: any(event["method"] == "Page.loadEventFired" for event in self.events))

    def evaluate(self, expression):
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, condition, timeout_s=60):
        """Wait for a Python condition, or for a JavaScript expression to become true."""
        deadline_s = time.monotonic() + timeout_s
        while not (self.evaluate(condition) if isinstance(condition, str) else condition()):
            assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {condition}"
            self._listen(0.1)

    def screenshot(self, path, full=True):
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=full)
        Path(path).write_bytes(base64.b64decode(picture["data"]))

    @property
    def requests(self):
        """URLs that were asked for, the page's own and embedded data left out."""
        urls = [
            e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls[1:] if not url.startswith("data:")]

    @property
    def complaints(self):
        """Console messages, log entries and exceptions."""
        kinds = ("Runtime.consoleAPICalled", "Log.entryAdded", "Runtime.exceptionThrown")
        return [event["params"] for event in self.events if event["method"] in kinds]

    def call(self, method, **params):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline_s = time.monotonic() + 60
        while True:
            for answer in self._listen(0.1):
                if answer.get("id") == number:
                    assert "error" not in answer, answer
                    return answer["result"]
            assert time.monotonic() < deadline_s, f"{method} was not answered"
            assert self.process.poll() is None, "the browser ended"

    def _listen(self, seconds):
        deadline_s, answers = time.monotonic() + seconds, []
        while not answers and time.monotonic() < deadline_s:
            with contextlib.suppress(BlockingIOError):
                self._rest += os.read(self._in, 1 << 20)
            *whole, self._rest = self._rest.split(b"\0")
            for message in map(json.loads, whole):
                (answers if "id" in message else self.events).append(message)
            if not whole:
                time.sleep(0.01)
        return answers

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        os.close(self._out)
        os.close(self._in)


@pytest.fixture
def browser_page(tmp_path_factory):
    """A page in a real browser; skips where the machine has none."""
    from theia_core.analysis.page.browser import FLAGS, find_chromium

    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    page = Page(chromium, FLAGS, tmp_path_factory.mktemp("chromium"))
    yield page
    page.close()
