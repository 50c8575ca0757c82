"""One ROS context for the tests that need a node but no other process."""

import os

import pytest

from theia.nodekit.transport import apply_transport_defaults


@pytest.fixture(scope="module")
def ros():
    """rclpy, initialised on a domain of this process's own; skipped where ROS is not installed."""
    rclpy = pytest.importorskip("rclpy")
    apply_transport_defaults()
    rclpy.init(domain_id=1 + os.getpid() % 100)
    yield rclpy
    rclpy.shutdown()
