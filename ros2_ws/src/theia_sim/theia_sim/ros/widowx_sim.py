"""The simulated WidowX: xs_sdk and a camera over one MuJoCo process, in real time.

Three threads: physics and joint_states at 100 Hz, the camera, and the callbacks of commands and services.
"""

import json
import math
import sys
import threading
from dataclasses import asdict, dataclass

from rclpy.node import Node
from theia_msgs.msg import TaskState
from theia_msgs.srv import ResetScene

from theia.messages.json_object import parse_object
from theia.nodekit.diagnostics import Diagnostics
from theia.nodekit.main import run_node
from theia.nodekit.outcome import Outcome
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import EVENT
from theia.nodekit.ticker import Ticker
from theia.topics import RESET_SCENE, TASK_STATE
from theia_core.errors import TheiaError
from theia_sim.envs import make_env
from theia_sim.ros.camera import CameraThread
from theia_sim.ros.motors import Motors
from theia_sim.ros.physics import STEP_S, RealTimePhysics
from theia_sim.ros.viewer import ViewerWindow
from theia_sim.ros.xs_sdk import SimulatedXsSdk

_TASK_STATE_PERIOD_S = 0.1
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
        self._reached_at_s: dict[str, float] = {}
        self._reset(self.parameters.seed, {})
        self.profile = self.env.profile
        self.xs_sdk = SimulatedXsSdk(self, self._motors, self.profile, self._lock)
        self._task_state = self.create_publisher(TaskState, TASK_STATE, EVENT)
        self.create_service(ResetScene, RESET_SCENE, self._on_reset)
        self.create_timer(_TASK_STATE_PERIOD_S, self._publish_task_state)
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
            for name, reached in self.env.stages().items():
                if reached:
                    self._reached_at_s.setdefault(name, self.env.time_s)
        if self.xs_sdk.publish(state):
            self.diagnostics.rate("joint_states").tick()

    # --- camera thread ---

    def _snapshot(self):  # noqa: ANN202
        with self._lock:
            return self.env.snapshot()

    # --- callbacks ---

    def _on_reset(self, request: ResetScene.Request, response: ResetScene.Response) -> ResetScene.Response:
        try:
            if request.task != self.parameters.task:
                raise TheiaError(f"this simulator runs task {self.parameters.task!r}, not {request.task!r}")
            self._reset(request.seed, parse_object(request.cell_json, "cell_json"))
            response.params_json = json.dumps(asdict(self.env.params))
            response.success = True
        except TheiaError as error:
            response.success, response.message = False, str(error)
        return response

    def _reset(self, seed: int, cell: dict[str, float]) -> None:
        try:
            params = type(self.env).params_type.sample(seed, **cell)
        except (TypeError, ValueError) as error:
            raise TheiaError(f"the scene cannot be made from seed {seed} and {cell}: {error}") from error
        with self._lock:
            self.env.reset(params)
            self._motors.restart()
            self.physics = RealTimePhysics(self.env, self._motors.before_step)
            self._reached_at_s.clear()

    def _publish_task_state(self) -> None:
        with self._lock:
            stages, info = self.env.stages(), self.env.info()
            elapsed_s, failure = self.env.time_s, self.env.failure()
            seed = self.env.params.seed
            reached_at_s = [self._reached_at_s.get(name, math.nan) for name in stages]
        message = TaskState(
            task=self.parameters.task,
            stages=list(stages),
            reached=list(stages.values()),
            reached_at_s=reached_at_s,
            elapsed_s=elapsed_s,
            seed=seed,
            failure=failure or "",
            info_json=json.dumps(info),
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._task_state.publish(message)

    def _gather(self) -> None:
        self.diagnostics.facts["simulated_time_lost_s"] = f"{self.physics.lost_s:.2f}"

    def _on_crash(self, error: BaseException) -> None:
        self.outcome.crash("the simulation stopped", error)


def main() -> int:
    """Run the node."""
    return run_node(WidowXSimNode)


if __name__ == "__main__":
    sys.exit(main())
