"""The times that the nodes measured themselves, gathered from /diagnostics, as text."""

from diagnostic_msgs.msg import DiagnosticArray

# (node, measurement, what it is), in the order of a frame's way; the suffixes below are added.
_SUFFIXES = ("p50", "p95", "p99", "max")
_TIMES = (
    ("/widowx_sim", "render_ms", "simulated camera: drawing and publishing a frame"),
    ("/encoder", "camera_to_encoder_ms", "camera frame -> encoder"),
    ("/encoder", "waited_ms", "waiting for the encoder"),
    ("/encoder", "encode_ms", "encoding"),
    ("/encoder", "frame_to_encoded_ms", "camera frame -> encoded"),
    ("/encoder", "publish_ms", "making and publishing the tokens' message"),
    ("/encoder", "frame_to_tokens_ms", "camera frame -> tokens sent"),
    ("/bc_policy", "frame_to_received_ms", "camera frame -> tokens received"),
    ("/bc_policy", "frame_to_policy_ms", "camera frame -> tokens used by the policy"),
    ("/bc_policy", "predict_ms", "predicting"),
    ("/bc_policy", "frame_to_chunk_ms", "camera frame -> action chunk sent"),
    ("/bc_policy", "step_jitter_ms", "5 Hz control: jitter beyond the period"),
    ("/diffusion_policy", "frame_to_policy_ms", "camera frame -> policy"),
    ("/diffusion_policy", "encode_and_predict_ms", "encoding and predicting"),
    ("/diffusion_policy", "frame_to_chunk_ms", "camera frame -> first chunk, made a step ahead"),
    ("/diffusion_policy", "step_jitter_ms", "5 Hz control: jitter beyond the period"),
    ("/widowx_guard", "tick_ms", "guard: one 50 Hz tick"),
    ("/spot_bridge", "picture_ms", "Spot's camera: asking for a picture and publishing it"),
    ("/spot_bridge", "command_ms", "a command to Spot and its answer"),
    ("/spot_bridge", "tick_ms", "bridge: one 50 Hz tick"),
)
_COUNTS = (
    ("/encoder", "frames_dropped", "late frames dropped by the encoder"),
    ("/bc_policy", "holds_ordered", "holds ordered by the policy"),
    ("/diffusion_policy", "holds_ordered", "holds ordered by the policy"),
    ("/diffusion_policy", "gaps", "gaps in the motion, a prediction was too late"),
    ("/diffusion_policy", "over_budget", "predictions beyond the time budget"),
    ("/widowx_guard", "dropped_late", "late actions dropped by the guard"),
)


class TimingReport:
    """Keeps the newest diagnostics of every node.

    Attributes:
        contestant: what the names of the encoder and the policy that act now end in.
    """

    contestant = ""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, str]] = {}

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        """Take a message."""
        for status in message.status:
            self._values[status.name] = {pair.key: pair.value for pair in status.values}

    def value(self, node: str, key: str) -> str | None:
        """What `node` said of `key` last."""
        name = f"{node}{self.contestant}" if node in ("/encoder", "/bc_policy") else node
        return self._values.get(name, {}).get(key)

    def numbers(self) -> dict[str, dict[str, float]]:
        """{measurement: {p50, p95, p99, max}} in milliseconds."""
        return {name: row for node, name, _ in _TIMES if (row := self._row(node, name))}

    def text(self) -> str:
        """A table for people."""
        lines = [f"{'measured by the nodes [ms]':<52} " + " ".join(f"{key:>7}" for key in _SUFFIXES)]
        for node, name, meaning in _TIMES:
            if row := self._row(node, name):
                lines.append(f"{meaning:<52} " + " ".join(f"{row[key]:7.1f}" for key in _SUFFIXES))
        for node, name, meaning in _COUNTS:
            if (count := self.value(node, name)) is not None:
                lines.append(f"{meaning:<52} {count:>7}")
        return "\n".join(lines)

    def _row(self, node: str, name: str) -> dict[str, float]:
        """What `node` measured under `name`: p50 to max, or nothing."""
        values = {key: self.value(node, f"{name}_{key}") for key in _SUFFIXES}
        return {key: float(value) for key, value in values.items() if value} if all(values.values()) else {}
