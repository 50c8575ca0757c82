"""What a node measures about itself, on /diagnostics once a second."""

from collections import Counter
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from theia.nodekit.statistics import Rate, Samples

TOPIC = "/diagnostics"
PERIOD_S = 1.0


class Diagnostics:
    """Rates, times, counts and the state of one node.

    Keys on the wire: `<name>_hz` for rates, `<name>_p50`, `_p95`, `_p99` and `_max` for samples (whose names
    end in their unit), the bare name for counts and facts.

    Attributes:
        counts: counters by name.
        facts: other values by name.
    """

    def __init__(self, node: Node) -> None:
        """Publish for `node` from now on."""
        self.counts: Counter[str] = Counter()
        self.facts: dict[str, str] = {}
        self._node = node
        self._rates: dict[str, Rate] = {}
        self._samples: dict[str, Samples] = {}
        self._gather: Callable[[], None] | None = None
        self._level, self._message = DiagnosticStatus.OK, "starting"
        self._publisher = node.create_publisher(DiagnosticArray, TOPIC, 10)
        self._timer = node.create_timer(PERIOD_S, self.publish)

    def rate(self, name: str) -> Rate:
        """The rate of that name, made on first use."""
        return self._rates.setdefault(name, Rate())

    def samples(self, name: str) -> Samples:
        """The samples of that name, made on first use."""
        return self._samples.setdefault(name, Samples())

    def include(self, name: str, samples: Samples) -> None:
        """Publish samples that something else keeps."""
        self._samples[name] = samples

    def before_publishing(self, gather: Callable[[], None] | None) -> None:
        """Call `gather` before each message, to bring counts and facts up to date; None ends that."""
        self._gather = gather

    def ok(self, message: str) -> None:
        """All is well; `message` says what the node is doing."""
        self._level, self._message = DiagnosticStatus.OK, message

    def warn(self, message: str) -> None:
        """The node works, with a trouble."""
        self._level, self._message = DiagnosticStatus.WARN, message

    def error(self, message: str) -> None:
        """The node does not work; published at once, so that whoever asked for a transition learns why."""
        self._level, self._message = DiagnosticStatus.ERROR, message
        self.publish()

    def publish(self) -> None:
        """Publish the present state."""
        if self._gather is not None:
            self._gather()
        # Copies, as other threads add measurements meanwhile.
        values = {f"{name}_hz": f"{rate.per_second():.1f}" for name, rate in list(self._rates.items())}
        for name, samples in list(self._samples.items()):
            values |= {f"{name}_{key}": f"{value:.2f}" for key, value in samples.summary().items()}
        values |= {name: str(count) for name, count in list(self.counts.items())}
        values |= self.facts
        status = DiagnosticStatus(
            level=self._level,
            name=self._node.get_fully_qualified_name(),
            message=self._message,
            hardware_id="theia",
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
