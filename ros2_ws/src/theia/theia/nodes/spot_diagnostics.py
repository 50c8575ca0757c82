"""What the bridge to Spot says in /diagnostics: the guard's numbers, who is in charge, how the robot is."""

from typing import TYPE_CHECKING

from theia.nodes.guard_reports import GuardReports
from theia.nodes.spot_publishers import SpotPublishers

if TYPE_CHECKING:
    from theia.nodes.spot_bridge import SpotBridgeNode


class SpotDiagnostics:
    """Brings the node's diagnostics up to date before each message."""

    def __init__(self, node: "SpotBridgeNode", senses: SpotPublishers, reports: GuardReports) -> None:
        """Begin."""
        self._node, self._senses, self._reports = node, senses, reports
        node.diagnostics.include("command_ms", node.sender.round_trip_ms)
        node.diagnostics.before_publishing(self._gather)

    def close(self) -> None:
        """End."""
        self._node.diagnostics.before_publishing(None)

    def _gather(self) -> None:
        self._reports.gather()
        node, diagnostics = self._node, self._node.diagnostics
        facts = diagnostics.facts
        diagnostics.counts["commands_expired"] = node.sender.expired
        facts["lease"] = "held" if node.authority.has_lease else self._senses.owner or "nobody"
        facts["estop_endpoint"] = "this node" if node.authority.is_endpoint else "another or none"
        facts["order"], facts["order_trouble"] = node.orders.job, node.orders.trouble
        if (reading := node.newest) is not None:
            facts["battery_percent"] = f"{reading.battery_percent:.0f}"
            facts["estop"], facts["faults"] = reading.estop, ", ".join(reading.faults.values())
            facts["powered"], facts["standing"] = str(reading.powered), str(reading.standing)
        trouble = node.orders.trouble or self._senses.trouble
        if node.is_active and (node.guard.mode.is_stop or trouble):
            diagnostics.warn(f"{node.guard.mode.name}: {node.guard.reason}; {trouble}".rstrip("; "))
        elif node.is_active:
            diagnostics.ok(f"{node.guard.mode.name}: {node.guard.reason}".rstrip(": "))
