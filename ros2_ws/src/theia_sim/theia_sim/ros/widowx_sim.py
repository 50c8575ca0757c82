"""The simulated WidowX: xs_sdk and a camera over one MuJoCo process, in real time.

Three threads: physics and joint_states at 100 Hz, the camera, and the callbacks of commands and services.
"""

import sys
import threading
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node

from theia.nodekit.diagnostics import Diagnostics
from theia.nodekit.main import run_node
from theia.nodekit.outcome import Outcome
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.ticker import Ticker
from theia_sim.envs import make_env
from theia_sim.ros.camera import CameraThread
from theia_sim.ros.motors import Motors
from theia_sim.ros.physics import STEP_S, RealTimePhysics
from theia_sim.ros.scene_services import SceneServices
from theia_sim.ros.viewer import ViewerWindow
from theia_sim.ros.xs_sdk import SimulatedXsSdk

_VIEWER_PERIOD_S = 0.033


@dataclass(frozen=True)
class SimParameters:
    """Parameters of the simulated WidowX."""

    task: str = parameter("door", "task whose scene is simulated")
    seed: int = parameter(0, "seed of the scene at the start", low=0, high=2**31)
    camera_rate_hz: float = parameter(10.0, "pictures per second", low=0.5, high=60.0)
    camera: str = parameter("policy", "camera of the scene", choices=("policy", "spectator"))
    width: int = parameter(640, "width of the picture in pixels", low=32, high=1280)
    height: int = parameter(480, "height of the picture in pixels", low=32, high=960)
    headless: bool = parameter(True, "false opens MuJoCo's window on the scene")


class WidowXSimNode(Node):
    """Simulates robot, kitchen and camera."""

    def __init__(self) -> None:
        """Build the scene and start."""
        super().__init__("widowx_sim")
        self.outcome = Outcome()
        self.diagnostics = Diagnostics(self)
        self.parameters = declare(self, SimParameters)
        self.env = make_env(self.parameters.task)
        self._motors = Motors(self.env)
        self._lock = threading.Lock()
        self._scene = SceneServices(self, self.parameters.task, self.env, self._lock, self._set_up)
        self._scene.reset(self.parameters.seed, {})
        self.profile = self.env.profile
        self.xs_sdk = SimulatedXsSdk(self, self._motors, self.profile, self._lock)
        self._scene.begin()
        self._viewer = None if self.parameters.headless else ViewerWindow(self.env, self._lock)
        if self._viewer is not None:
            self.create_timer(_VIEWER_PERIOD_S, self._viewer.show)
        self._physics_thread = Ticker(STEP_S, self._step, "physics", self._on_crash)
        self._camera = CameraThread(
            self,
            self.diagnostics,
            self.env.new_renderer(),
            self._snapshot,
            rate_hz=self.parameters.camera_rate_hz,
            size=(self.parameters.width, self.parameters.height),
            camera=self.parameters.camera,
            on_error=self._on_crash,
        )
        self.diagnostics.include("joint_states_late_ms", self._physics_thread.lateness_ms)
        self.diagnostics.before_publishing(self._gather)
        # The camera first: joint_states that begin, stop for OpenGL and go on would be a FAULT of the guard.
        self._camera.start()
        self.physics.restart()
        self._physics_thread.start()
        self.diagnostics.ok("simulating")
        self.get_logger().info(f"simulating task {self.parameters.task} behind {self.profile.namespace}")

    def shut_down(self) -> None:
        """Stop the threads."""
        self._camera.stop()
        self._physics_thread.stop()
        if self._viewer is not None:
            self._viewer.close()

    # --- physics thread ---

    def _step(self) -> None:
        with self._lock:
            self.physics.advance()
            state = self.env.joint_state()
            self._scene.note_stages()
        if self.xs_sdk.publish(state):
            self.diagnostics.rate("joint_states").tick()

    # --- camera thread ---

    def _snapshot(self):  # noqa: ANN202
        with self._lock:
            return self.env.snapshot()

    # --- callbacks ---

    def _set_up(self, params: Any) -> None:
        self.env.reset(params)
        self._motors.restart()
        self.physics = RealTimePhysics(self.env, self._motors.before_step)

    def _gather(self) -> None:
        self.diagnostics.facts["simulated_time_lost_s"] = f"{self.physics.lost_s:.2f}"

    def _on_crash(self, error: BaseException) -> None:
        self.outcome.crash("the simulation stopped", error)


def main() -> int:
    """Run the node."""
    return run_node(WidowXSimNode)


if __name__ == "__main__":
    sys.exit(main())
