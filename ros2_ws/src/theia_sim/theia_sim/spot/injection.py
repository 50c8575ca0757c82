"""Faults of the robot or its network that a test or an operator orders.

    theia sim spot --inject '{"fault": "outage", "seconds": 3}'

| fault            | what happens                                                                           |
|------------------|----------------------------------------------------------------------------------------|
| `lease_theft`    | another client, `by`, takes the lease                                                  |
| `estop`          | another device presses its e-stop, until `clear`                                       |
| `clock_jump`     | the robot's clock is set by `seconds`, which may be negative                           |
| `token_expiry`   | every user token expires now                                                           |
| `block_arm`      | for `seconds` an obstacle keeps the arm where it is                                    |
| `behavior_fault` | fault by `cause`: fall, hardware, lease_timeout, command_failure; or not `clearable`   |
| `outage`         | for `seconds` nothing gets through the network                                         |
| `slow_network`   | for `seconds` everything arrives `delay_s` late, also what nobody waits for any more   |
| `restart`        | the robot's computer restarts, back after `seconds`; lease, e-stop, login are gone     |
| `battery`        | the battery is at `percent`                                                            |
| `greyscale`      | from now on the camera knows no colours, as that of older robots                       |
| `clear`          | releases the e-stop and mends the network                                              |
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bosdyn.api import robot_state_pb2

from theia_core.errors import TheiaError
from theia_sim.fault_orders import injected, number, parse_order

if TYPE_CHECKING:
    from theia_sim.spot.robot import SimulatedSpot
    from theia_sim.spot.server import SpotServer

_FIELDS: dict[str, dict[str, Any]] = {
    "lease_theft": {"by": "tablet"},
    "estop": {},
    "clock_jump": {"seconds": None},
    "token_expiry": {},
    "block_arm": {"seconds": None},
    "behavior_fault": {"cause": "command_failure", "clearable": True},
    "outage": {"seconds": None},
    "slow_network": {"delay_s": None, "seconds": 1e5},
    "restart": {"seconds": 1.0},
    "battery": {"percent": None},
    "greyscale": {},
    "clear": {},
}
_LONGEST_S = 3600.0


def inject(robot: "SimulatedSpot", server: "SpotServer", order: Mapping[str, Any]) -> str:
    """Begin a fault and say so.

    Raises:
        TheiaError: if fault or fields are unknown or out of range.
    """
    fault, values = parse_order(order, _FIELDS)
    if fault == "restart":
        server.restart(number(values, "seconds", _LONGEST_S))
        return injected(fault, values)
    with robot.lock:
        if fault == "lease_theft":
            robot.stop(f"the lease was taken by {values['by']}")
            robot.leases.give(str(values["by"]))
        elif fault == "estop":
            robot.estop.button = True
        elif fault == "clock_jump":
            robot.clock.skew_s += number(values, "seconds", 1e9, -1e9)
        elif fault == "token_expiry":
            robot.tokens.revoke_all()
        elif fault == "block_arm":
            robot.block_arm(number(values, "seconds", _LONGEST_S))
        elif fault == "behavior_fault":
            robot.add_fault(_cause(values["cause"]), clearable=bool(values["clearable"]))
        elif fault == "outage":
            robot.network.go_down(number(values, "seconds", _LONGEST_S))
        elif fault == "slow_network":
            robot.network.slow_down(number(values, "delay_s", 60.0), number(values, "seconds"))
        elif fault == "battery":
            robot.charge_percent = number(values, "percent", 100.0)
        elif fault == "greyscale":
            robot.greyscale = True
        else:
            robot.estop.button = False
            robot.network.mend()
    return injected(fault, values)


def _cause(name: Any) -> int:
    causes = robot_state_pb2.BehaviorFault.Cause
    text = f"CAUSE_{str(name).upper()}"
    if text not in causes.keys():  # noqa: SIM118 - an enum wrapper, no mapping
        known = ", ".join(key.removeprefix("CAUSE_").lower() for key in causes.keys())  # noqa: SIM118
        raise TheiaError(f"cause is {name!r}; choose one of {known}")
    return causes.Value(text)
