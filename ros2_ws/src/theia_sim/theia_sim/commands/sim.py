"""`theia sim`: a simulated robot behind its real interface, for programs that talk to the robot."""

import argparse
import json
import signal
import threading
from pathlib import Path

from theia_core.cli import Command
from theia_core.errors import TheiaError

EXAMPLES = """examples:
  theia sim spot                          Spot before a cabinet, for bosdyn-client; prints how to log in
  theia sim spot --port 9000 --skew 120   on another port, with a clock that is two minutes ahead
  theia sim spot --inject '{"fault": "outage", "seconds": 3}'
                                          a fault for the one that runs; '{"fault": "?"}' names them all

The simulated WidowX is a ROS 2 node: theia up widowx_door trials:=0
"""
_FOLDER = "~/.theia/spot_sim"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.add_argument("robot", choices=("spot",), help="robot to simulate")
    parser.add_argument("--port", type=int, default=8443, help="port of this machine (8443)")
    parser.add_argument(
        "--folder", type=Path, default=Path(_FOLDER), help=f"for certificate, login and control ({_FOLDER})"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the scene (0)")
    parser.add_argument("--skew", type=float, default=0.0, help="seconds that the robot's clock is ahead (0)")
    parser.add_argument("--inject", metavar="JSON", help="give this order to the one that runs, and end")


def run(arguments: argparse.Namespace) -> int:
    """Simulate until Ctrl-C, or give an order."""
    folder = arguments.folder.expanduser()
    if arguments.inject:
        from theia_sim.spot.control import send_order

        print(send_order(folder, _order(arguments.inject)))
        return 0
    from theia_sim.spot.certificate import CERTIFICATE, CREDENTIALS
    from theia_sim.spot.simulator import SpotSimulator

    over, failed = threading.Event(), []

    def on_error(error: Exception) -> None:
        failed.append(error)
        over.set()

    simulator = SpotSimulator(
        folder, port=arguments.port, seed=arguments.seed, skew_s=arguments.skew, on_error=on_error
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    print(f"simulated Spot on 127.0.0.1:{simulator.server.port}", flush=True)
    print(f"certificate: {folder / CERTIFICATE} (create_standard_sdk(..., cert_resource_glob=...))")
    print(f"login:       {folder / CREDENTIALS}")
    print(
        "Python:      robot.update_secure_channel_port"
        f"({simulator.server.port}) before the first call; Ctrl-C ends",
        flush=True,
    )
    over.wait()
    simulator.close()
    if failed:
        raise failed[0]
    return 0


def _order(text: str) -> dict:
    try:
        order = json.loads(text)
    except ValueError as error:
        raise TheiaError(f"--inject is no JSON ({error}): {text}") from None
    if not isinstance(order, dict):
        raise TheiaError(f'--inject must be a JSON object such as {{"fault": "estop"}}, not {text}')
    return order


COMMAND = Command("simulate a robot behind its real interface", configure, run)
