"""The simulated camera's start: whoever starts joint_states after it is not stopped by OpenGL."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
from theia.nodekit.diagnostics import Diagnostics
from theia_core.errors import TheiaError
from theia_sim.ros.camera import CameraThread


class SlowRenderer:
    """Takes 0.3 s to start, as OpenGL does on a busy machine, or fails."""

    def __init__(self, error=None):
        self.error, self.pictures, self.closed = error, 0, threading.Event()

    def render(self, snapshot, camera, width, height):
        if not self.pictures:
            time.sleep(0.3)
        if self.error is not None:
            raise self.error
        self.pictures += 1
        return np.zeros((height, width, 3), np.uint8)

    def close(self):
        self.closed.set()


@pytest.fixture
def node(ros):
    node = ros.create_node("camera_test")
    yield node
    node.destroy_node()


def camera_of(node, renderer, errors):
    return CameraThread(
        node,
        Diagnostics(node),
        renderer,
        lambda: None,
        rate_hz=20.0,
        size=(64, 48),
        camera="policy",
        on_error=errors.append,
    )


def test_start_returns_after_the_first_picture(node):
    renderer, errors = SlowRenderer(), []
    camera = camera_of(node, renderer, errors)
    camera.start()
    assert renderer.pictures >= 1 and not errors
    camera.stop()
    assert renderer.closed.wait(2.0)


def test_start_returns_when_the_first_picture_fails_and_the_error_is_told(node):
    renderer, errors = SlowRenderer(TheiaError("no OpenGL here")), []
    begun_s = time.monotonic()
    camera_of(node, renderer, errors).start()
    assert time.monotonic() - begun_s < 10
    assert renderer.closed.wait(2.0) and [str(error) for error in errors] == ["no OpenGL here"]
