"""The operator's desk: one question at a time, no default answer, over HTTP, in a terminal, in a browser."""

import io
import json
import os
import threading
import time
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest

from theia.nodes.ghosts import Ghosts
from theia.operator.desk import Choice, Desk
from theia.operator.server import OPERATOR_HEADER, DeskServer
from theia.operator.terminal import OperatorTerminal
from theia_core.errors import TheiaError

YES, NO, AGAIN = Choice("yes", "Yes"), Choice("no", "No"), Choice("again", "Repeat it", needs_text=True)


def jpeg(value):
    _, data = cv2.imencode(".jpg", np.full((48, 64, 3), value, np.uint8))
    return data.tobytes()


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def server(desk):
    server = DeskServer(desk, "127.0.0.1", 0)
    yield server
    server.close()


def send(server, path, values=None, headers=None):
    """Status and JSON of a request; a POST if there are values."""
    body = None if values is None else json.dumps(values).encode()
    given = {OPERATOR_HEADER: "test"} if headers is None else headers
    request = urllib.request.Request(server.url.rstrip("/") + path, body, given)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def wait_for(condition, timeout_s=20):
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_nothing_is_answered_by_default_and_the_first_answer_counts(desk):
    question = desk.ask("Open?", (YES, NO))
    assert desk.answered() is None
    desk.answer(question.number, "no")
    assert desk.answered().choice == "no"
    with pytest.raises(TheiaError, match="not asked any more"):
        desk.answer(question.number, "yes")
    assert desk.answered().choice == "no" and desk.state()["question"] is None


def test_an_answer_to_a_question_of_before_is_refused(desk):
    before = desk.ask("Open?", (YES, NO))
    now = desk.ask("Fully open?", (YES, NO))
    with pytest.raises(TheiaError, match="look at what is asked now"):
        desk.answer(before.number, "yes")
    with pytest.raises(TheiaError, match="'maybe' is no answer; choose yes, no"):
        desk.answer(now.number, "maybe")
    assert desk.answered() is None


def test_leaving_a_trial_out_needs_a_reason(desk):
    question = desk.ask("Does it count?", (YES, AGAIN))
    with pytest.raises(TheiaError, match="needs a reason"):
        desk.answer(question.number, "again", "  ")
    desk.answer(question.number, "again", " a cable fell ")
    assert desk.answered().text == "a cable fell"


def test_the_desk_is_served_with_pictures_and_answers(desk, server):
    desk.heading, desk.ghost, desk.camera = "trial 1", jpeg(200), lambda: jpeg(50)
    question = desk.ask("Open?", (YES, NO), ["Close the door."])
    status, state = send(server, "/state")
    assert status == 200 and state["question"]["steps"] == ["Close the door."] and state["has_ghost"]
    for path in ("/camera.jpg", "/ghost.jpg"):
        with urllib.request.urlopen(server.url.rstrip("/") + path) as answer:
            assert answer.read().startswith(b"\xff\xd8")
    assert send(server, "/answer", {"number": question.number, "choice": "yes"}) == (200, {})
    assert desk.answered().choice == "yes"
    status, said = send(server, "/answer", {"number": question.number, "choice": "yes"})
    assert status == 409 and "not asked any more" in said["error"]
    assert send(server, "/answer", {"choice": "yes"})[0] == 400
    assert send(server, "/nothing")[0] == 404


def test_pages_of_others_can_neither_answer_nor_look(desk, server):
    question = desk.ask("Open?", (YES, NO))
    answer = {"number": question.number, "choice": "yes"}
    assert send(server, "/answer", answer, headers={})[0] == 403
    foreign = {OPERATOR_HEADER: "x", "Host": "evil.example:80"}
    assert send(server, "/answer", answer, headers=foreign)[0] == 403
    assert send(server, "/state", headers=foreign)[0] == 403
    assert desk.answered() is None


def test_the_emergency_stop_is_always_there(desk, server):
    stopped = []
    desk.emergency_stop = lambda: stopped.append(1) or "ESTOP: operator"
    assert send(server, "/emergency_stop", {}) == (200, {"said": "ESTOP: operator"})
    assert stopped == [1]


def test_a_port_that_is_taken_is_named(server):
    port = int(server.url.rstrip("/").rsplit(":", 1)[1])
    with pytest.raises(TheiaError, match=f"cannot listen at 127.0.0.1:{port}"):
        DeskServer(Desk(), "127.0.0.1", port)


def test_the_terminal_asks_and_sends_what_is_typed(desk, server):
    reading, writing = os.pipe()
    out = io.StringIO()
    terminal = OperatorTerminal(server.url, os.fdopen(reading), out)
    thread = threading.Thread(target=terminal.run)
    desk.heading = "trial 3"
    desk.say("kept as the wanted scene")
    desk.ask("Does it count?", (YES, AGAIN), ["Look twice."])
    thread.start()
    wait_for(lambda: "[2] Repeat it + reason" in out.getvalue())
    assert "== trial 3" in out.getvalue() and "1. Look twice." in out.getvalue()
    os.write(writing, b"7\n2\n")
    wait_for(lambda: "needs a reason" in out.getvalue())
    assert "'7' is no answer" in out.getvalue() and desk.answered() is None
    os.write(writing, b"2 a cable fell\n")
    wait_for(lambda: desk.answered() is not None)
    assert (desk.answered().choice, desk.answered().text) == ("again", "a cable fell")
    os.write(writing, b"stop!\n")
    wait_for(lambda: "no guard to stop" in out.getvalue())
    os.close(writing)
    thread.join(10)
    assert not thread.is_alive()


def test_the_first_scene_of_a_cell_is_what_later_ones_are_laid_on(tmp_path):
    ghosts, cell = Ghosts(tmp_path / "door"), {"base_height_m": 0.43, "x_position_m": -0.03}
    assert ghosts.of(cell) is None
    ghosts.keep(cell, jpeg(10))
    ghosts.keep(cell, jpeg(250))
    assert ghosts.of(cell) == jpeg(10)
    assert ghosts.of({**cell, "x_position_m": 0.0}) is None
    with pytest.raises(TheiaError, match="choose another folder"):
        (tmp_path / "file").touch()
        Ghosts(tmp_path / "file" / "x").keep(cell, jpeg(1))


@pytest.mark.slow
def test_a_real_browser_shows_the_question_and_sends_the_answer(desk, server, browser_page):
    desk.heading, desk.status = "Door Opening: trial 1", "Paused."
    desk.ghost, desk.camera = jpeg(200), lambda: jpeg(50)
    desk.ask("Does it count?", (YES, AGAIN), ["Look twice."])
    browser_page.open(server.url, 390, 844, mobile=True)
    browser_page.wait_for("document.querySelectorAll('#choices button').length == 2")
    browser_page.wait_for("document.getElementById('camera').naturalWidth == 64")
    browser_page.wait_for("document.getElementById('ghost').naturalWidth == 64")
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 390
    assert browser_page.evaluate("getComputedStyle(document.getElementById('ghost')).opacity") == "0.5"
    browser_page.evaluate("document.querySelector('[data-key=again]').click()")
    browser_page.wait_for("document.getElementById('error').textContent.includes('needs a reason')")
    assert desk.answered() is None
    browser_page.evaluate(
        "document.getElementById('text').value = 'a cable fell';"
        "document.querySelector('[data-key=again]').click()"
    )
    wait_for(lambda: desk.answered() is not None)
    assert desk.answered().text == "a cable fell"
    browser_page.wait_for("document.querySelectorAll('#choices button').length == 0")
    stopped = []
    desk.emergency_stop = lambda: stopped.append(1) or "ESTOP"
    browser_page.evaluate("document.getElementById('stop').click()")
    wait_for(lambda: stopped == [1])
    assert all(url.startswith((server.url, "blob:")) for url in browser_page.requests)
    # Chromium itself logs the refused answer; nothing else may complain.
    assert [c for c in browser_page.complaints if "409" not in json.dumps(c)] == []
