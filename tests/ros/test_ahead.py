"""Predicting ahead: one at a time, taken once, forgotten when the robot holds."""

import threading
import time

import pytest

pytest.importorskip("rclpy")
from theia.nodes.ahead import Ahead


class Computation:
    """Squares its input once it is let go."""

    def __init__(self):
        self.let_go, self.began, self.at_once, self.most_at_once = threading.Event(), [], 0, 0

    def __call__(self, value):
        self.began.append(value)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.let_go.wait(10)
        self.at_once -= 1
        if value < 0:
            raise ValueError("below zero")
        return value**2


@pytest.fixture
def ahead():
    computation = Computation()
    ahead = Ahead(computation)
    yield ahead, computation
    computation.let_go.set()
    ahead.close()


def taken(ahead):
    deadline_s = time.monotonic() + 10
    while (result := ahead.take()) is None and time.monotonic() < deadline_s:
        time.sleep(0.005)
    return result


def test_a_prediction_is_there_once_it_is_ready_and_only_once(ahead):
    ahead, computation = ahead
    assert ahead.take() is None and not ahead.busy
    ahead.begin(3)
    assert ahead.take() is None and ahead.busy
    computation.let_go.set()
    assert taken(ahead) == 9
    assert ahead.take() is None and not ahead.busy


def test_a_forgotten_prediction_is_never_taken_and_none_is_made_beside_it(ahead):
    ahead, computation = ahead
    ahead.begin(3)
    ahead.forget()
    assert ahead.busy
    threading.Timer(0.1, computation.let_go.set).start()
    assert ahead.now(5) == 25
    assert ahead.take() is None and not ahead.busy
    assert computation.began == [3, 5]
    assert computation.most_at_once == 1
    ahead.begin(4)
    assert taken(ahead) == 16


def test_an_error_of_the_computation_comes_to_whoever_takes_it(ahead):
    ahead, computation = ahead
    computation.let_go.set()
    ahead.begin(-1)
    with pytest.raises(ValueError, match="below zero"):
        taken(ahead)
    with pytest.raises(ValueError, match="below zero"):
        ahead.now(-2)
    assert ahead.now(2) == 4
