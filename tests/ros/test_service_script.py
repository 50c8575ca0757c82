"""Service calls one after the other: answers go to the script, silence ends it by name, once."""

import time

import pytest

from theia_core.errors import TheiaError


@pytest.fixture
def nodes(ros):
    """A node with scripts, spun by the test, and one whose services answer only when it is spun, too."""
    asking, serving = ros.create_node("asking"), ros.create_node("serving")
    yield asking, serving
    for node in (asking, serving):
        node.destroy_node()


def run(ros, asking, serving, script, *, spin_server, answer_s=5.0):
    """Run `script(client)` to its end, and a little longer; what it said at the end, each time it did."""
    from std_srvs.srv import Trigger

    from theia.nodekit.service_script import ServiceScripts

    def answer(_request, response):
        response.message = "answered"
        return response

    serving.create_service(Trigger, "/slow_motor", answer)
    client = asking.create_client(Trigger, "/slow_motor")
    assert client.wait_for_service(10)
    scripts, said = ServiceScripts(asking, answer_s=answer_s), []
    scripts.start(script(client, Trigger.Request()), said.append)
    deadline_s = time.monotonic() + 20
    while scripts.busy and time.monotonic() < deadline_s:
        ros.spin_once(asking, timeout_sec=0.05)
        if spin_server:
            ros.spin_once(serving, timeout_sec=0.05)
    for _ in range(5):
        ros.spin_once(asking, timeout_sec=0.02)
    assert not scripts.busy
    return said


def test_a_script_gets_answers_and_waits(ros, nodes):
    heard = []

    def script(client, request):
        heard.append((yield client, request).message)
        yield 0.1
        heard.append((yield client, request).message)

    assert run(ros, *nodes, script, spin_server=True) == [None]
    assert heard == ["answered"] * 2


def test_a_silent_service_ends_the_script_by_name(ros, nodes):
    went_on = []

    def script(client, request):
        went_on.append((yield client, request))

    said = run(ros, *nodes, script, spin_server=False, answer_s=0.3)
    assert len(said) == 1 and "/slow_motor is silent" in said[0]
    assert not went_on


def test_an_error_in_a_script_is_what_it_says_at_the_end(ros, nodes):
    def script(client, request):
        yield client, request
        raise TheiaError("a motor is hot")

    assert run(ros, *nodes, script, spin_server=True) == ["a motor is hot"]
