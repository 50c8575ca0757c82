"""The simulated Spot, which is a gRPC server, beside ROS: here are only the task's state and new scenes."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rclpy.node import Node

from theia.nodekit.diagnostics import Diagnostics
from theia.nodekit.main import run_node
from theia.nodekit.outcome import Outcome
from theia.nodekit.parameters import declare, parameter
from theia_core.errors import MissingExtraError
from theia_sim.ros.scene_services import SceneServices


@dataclass(frozen=True)
class SpotSimParameters:
    """Parameters of the simulated Spot."""

    task: str = parameter("drawer", "task whose scene is simulated", choices=("drawer",))
    seed: int = parameter(0, "seed of the scene at the start", low=0, high=2**31)
    port: int = parameter(8443, "port of this machine", low=1, high=65535)
    folder: str = parameter("~/.theia/spot_sim", "for certificate, login and control socket")
    skew_s: float = parameter(
        120.0, "how far the robot's clock is ahead of this computer's [s]", low=-1e6, high=1e6
    )


class SpotSimNode(Node):
    """Runs the simulator; programs talk to it through bosdyn-client."""

    def __init__(self) -> None:
        """Start the simulator."""
        super().__init__("spot_sim")
        try:
            from theia_sim.spot.simulator import SpotSimulator
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("bosdyn", "grpc", "google", "cryptography"):
                raise
            raise MissingExtraError(str(error.name), "spot") from None
        self.outcome = Outcome()
        self.diagnostics = Diagnostics(self)
        wanted = declare(self, SpotSimParameters)
        self.simulator = SpotSimulator(
            Path(wanted.folder),
            port=wanted.port,
            seed=wanted.seed,
            skew_s=wanted.skew_s,
            on_error=lambda error: self.outcome.crash("the simulation stopped", error),
        )
        robot = self.simulator.robot
        scene = SceneServices(self, wanted.task, self.simulator.env, robot.lock, self.simulator.reset)
        scene.begin()
        self.diagnostics.before_publishing(self._gather)
        self.diagnostics.ok("simulating")
        self.get_logger().info(
            f"simulating Spot on 127.0.0.1:{self.simulator.server.port}, login in {self.simulator.folder}"
        )

    def shut_down(self) -> None:
        """End the simulator."""
        self.simulator.close()

    def _gather(self) -> None:
        robot = self.simulator.robot
        self.diagnostics.facts["simulated_time_lost_s"] = f"{robot.lost_s:.2f}"
        self.diagnostics.facts["last_stop"] = robot.stop_reason


def main() -> int:
    """Run the node."""
    return run_node(SpotSimNode)


if __name__ == "__main__":
    sys.exit(main())
