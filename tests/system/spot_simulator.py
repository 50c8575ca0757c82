"""The simulated Spot of the tests of its bridge, and what the bridge must be told to find it."""

from contextlib import contextmanager
from pathlib import Path

import yaml

from theia_sim.spot.simulator import SpotSimulator

SKEW_S = 500.0


@contextmanager
def running_simulator(folder):
    errors = []
    simulator = SpotSimulator(folder, port=0, seed=3, skew_s=SKEW_S, on_error=errors.append)
    simulator.draw = simulator.env.new_renderer().render
    simulator.draw(simulator.env.snapshot(), "policy", 640, 480)  # OpenGL starts now and not in a test
    yield simulator
    simulator.close()
    assert not errors, errors


def bridge_parameters(simulator, **others):
    return {
        "hostname": "127.0.0.1",
        "port": simulator.server.port,
        "certificate": str(simulator.folder / "robot.crt"),
        "credentials_file": str(simulator.folder / "credentials.json"),
        "camera_rate_hz": 2.0,
        "robot": str(patient_profile(simulator.folder.parent)),
        **others,
    }


def patient_profile(folder):
    """Spot's shipped profile, but for a machine that may be too busy to answer within a third of a second."""
    shipped = Path(__file__).resolve().parents[2] / "deploy" / "robots" / "spot_arm.yaml"
    profile = yaml.safe_load(shipped.read_text())
    profile["guard"] |= {"state_timeout_s": 1.5, "tracking_error_s": 4.0}
    path = folder / "patient.yaml"
    path.write_text(yaml.safe_dump(profile))
    return path
