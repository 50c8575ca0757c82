"""One ROS context for the tests that need a node but no other process."""

import os

import pytest

from theia.nodekit.transport import apply_transport_defaults


@pytest.fixture(scope="module")
def ros():
    """rclpy, initialised on a domain of this process's own; skipped where ROS is not installed."""
    rclpy = pytest.importorskip("rclpy")
    apply_transport_defaults()
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])  # each draws from a range of its own
    rclpy.init(domain_id=1 + 45 * (worker % 2) + os.getpid() % 45)
    yield rclpy
    rclpy.shutdown()
