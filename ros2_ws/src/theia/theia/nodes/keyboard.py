"""The keyboard of a terminal as a sensor_msgs/Joy: held keys are axes, the others are buttons.

A terminal tells no releases: a key counts as held for as long as it repeats, and the clutch lets go by itself
when no key has come for a while. Run it in a terminal of its own: `theia keyboard`.
"""

import select
import sys
import termios
import time
import tty
from dataclasses import dataclass

from rclpy.node import Node
from sensor_msgs.msg import Joy

from theia.nodekit.diagnostics import Diagnostics
from theia.nodekit.main import run_node
from theia.nodekit.outcome import Outcome
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import EVENT
from theia.topics import JOY
from theia_core.errors import TheiaError
from theia_core.teleop.keys import HELP, KeyboardState

_PERIOD_S = 0.05


@dataclass(frozen=True)
class KeyboardParameters:
    """Parameters of the keyboard node."""

    held_s: float = parameter(0.25, "how long a key counts as held after it came [s]", low=0.05, high=1.0)
    clutch_s: float = parameter(1.5, "the clutch lets go after so long without a key [s]", low=0.3, high=5.0)


class KeyboardNode(Node):
    """Reads standard input without echo and publishes 20 times a second."""

    def __init__(self) -> None:
        """Take over the terminal.

        Raises:
            TheiaError: if standard input is no terminal.
        """
        super().__init__("keyboard")
        self.outcome = Outcome()
        self.diagnostics = Diagnostics(self)
        parameters = declare(self, KeyboardParameters)
        if not sys.stdin.isatty():
            raise TheiaError("the keyboard node needs a terminal of its own: run theia keyboard in one")
        self._state = KeyboardState(parameters.held_s, parameters.clutch_s)
        self._joy = self.create_publisher(Joy, JOY, EVENT)
        self._before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        print(HELP, flush=True)
        self.create_timer(_PERIOD_S, self._publish)
        self.diagnostics.ok("reading keys")

    def shut_down(self) -> None:
        """Give the terminal back."""
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def _publish(self) -> None:
        now_s = time.monotonic()
        while select.select([sys.stdin], [], [], 0)[0]:
            if not (key := sys.stdin.read(1)):
                self.outcome.finish()
                return
            self._state.on_key(key, now_s)
        axes, buttons = self._state.joy(now_s)
        message = Joy(axes=axes, buttons=buttons)
        message.header.stamp = self.get_clock().now().to_msg()
        self._joy.publish(message)


def main() -> int:
    """Run the node."""
    return run_node(KeyboardNode)


if __name__ == "__main__":
    sys.exit(main())
