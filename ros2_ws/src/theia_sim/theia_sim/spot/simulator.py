"""A simulated Spot in its scene, complete: physics in real time, camera, server, certificate, control."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from theia_sim.scenes.drawer import DrawerEnv
from theia_sim.scenes.drawer_params import DrawerParams
from theia_sim.spot.camera import SpotCamera
from theia_sim.spot.certificate import new_identity, write_identity
from theia_sim.spot.clock import RobotClock
from theia_sim.spot.control import ControlSocket
from theia_sim.spot.injection import inject
from theia_sim.spot.robot import SimulatedSpot
from theia_sim.spot.server import DEFAULT_PORT, SpotServer

PICTURE = (640, 480)


class SpotSimulator:
    """Made in one go and running; `close` ends it.

    Attributes:
        env: the scene; hold `robot.lock` around every use.
        robot, server: the parts.
        folder: where clients find certificate, login and control socket.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = DEFAULT_PORT,
        seed: int = 0,
        skew_s: float = 0.0,
        on_error: Callable[[Exception], None],
    ) -> None:
        """Start in the scene of a seed.

        Args:
            folder: for certificate, login and control socket; made if need be.
            port: of 127.0.0.1; 0 takes a free one.
            seed: of the scene.
            skew_s: how far the robot's clock is ahead of this computer's.
            on_error: told of an exception in the physics, which ends them.

        Raises:
            TheiaError: if the port is taken, or there is no OpenGL.
        """
        self.folder = folder.expanduser()
        self.env = DrawerEnv()
        self.env.reset(DrawerParams.sample(seed))
        identity = new_identity()
        write_identity(identity, self.folder)
        self._camera = SpotCamera(self.env, PICTURE)
        self._camera.draw(self._camera.shot())  # OpenGL starts now: it would hold up everything else later
        self.robot = SimulatedSpot(self.env, self._camera, identity.passwords, RobotClock(skew_s))
        self.server = SpotServer(self.robot, identity, port)
        self._control = ControlSocket(self.folder, self.inject)
        self.robot.run(on_error)

    def inject(self, order: Mapping[str, Any]) -> str:
        """Begin a fault, as `injection` describes them, and say so."""
        return inject(self.robot, self.server, order)

    def reset(self, params: DrawerParams) -> None:
        """Set up a scene with the robot at its start; it keeps power and lease, and what it did is over."""
        with self.robot.lock:
            self.robot.stop("the scene was reset")
            self.robot.motions.clear()
            self.env.reset(params)

    def close(self) -> None:
        """End everything."""
        self._control.close()
        self.server.stop()
        self.robot.halt()
        self._camera.close()
