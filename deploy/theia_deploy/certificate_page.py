"""The certificate as a page for people: what was measured, against which limit, on which frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image

from theia_core.analysis.page.html import note, page, picture, section, table
from theia_core.engines.certificate import AT_LEAST, LIMITS, MEANING, Certificate
from theia_core.engines.folder import EngineDescription

_GRAPHS = {
    "images": "preprocessed images (library preprocessing, then the engine)",
    "frames": "raw camera frames (preprocessing within the engine)",
    "policy": "raw camera frames and joints to actions (encoder and policy in one graph)",
}
_SIDE_PX = 280


@dataclass(frozen=True)
class WorstFrame:
    """The camera frame with the lowest mean cosine.

    Attributes:
        pixels: (h, w, 3) uint8 RGB, made small.
        cosine: (rows, columns) of its tokens.
    """

    pixels: np.ndarray
    cosine: np.ndarray

    @classmethod
    def of(cls, frames: Sequence[np.ndarray], cosine: np.ndarray, grid: tuple[int, int]) -> "WorstFrame":
        """The worst of `frames`, whose tokens have the cosines (B, N)."""
        index = int(cosine.mean(axis=1).argmin())
        small = Image.fromarray(frames[index])
        small.thumbnail((_SIDE_PX, _SIDE_PX))
        return cls(np.asarray(small), cosine[index].reshape(grid))


def certificate_page(certificate: Certificate, engine: EngineDescription, worst: WorstFrame | None) -> str:
    """The whole document."""
    verdict = "passes" if certificate.passed else "FAILS"
    runtime = certificate.runtime
    failures = "".join(f"<li>{escape(text)}</li>" for text in certificate.failures())
    sections = [
        section(
            "Verdict",
            "",
            f"<p><strong>This engine {verdict}.</strong></p>",
            f"<ul>{failures}</ul>" if failures else "",
        )
    ]
    for graph, values in certificate.measures.items():
        sections.append(section(f"On {_GRAPHS[graph]}", "", _measures(certificate, values)))
    if worst is not None:
        low = float(worst.cosine.min())
        shade = np.clip((worst.cosine - low) / max(1 - low, 1e-9), 0, 1)
        tokens = np.repeat((255 * shade[..., None]).astype(np.uint8), 3, axis=2)
        sections.append(
            section(
                "The worst camera frame",
                "Right: the cosine of each token to the checkpoint's, from its lowest (black) to 1 (white).",
                '<div class="charts">'
                + picture(worst.pixels, "the frame with the lowest mean cosine", "frame", photograph=True)
                + picture(tokens, "cosine of each of its tokens", f"lowest {low:.5f}")
                + "</div>",
            )
        )
    frames = certificate.frames
    sections.append(
        section(
            "What it holds for",
            "The node refuses the engine where one of these is different.",
            table(
                ["what", "value"],
                [
                    [
                        "checkpoint",
                        f"{escape(engine.encoder_id)}<br>sha256 {certificate.checkpoint_sha256[:16]}...",
                    ],
                    *([escape(name), f"sha256 {sha[:16]}..."] for name, sha in certificate.files.items()),
                    *([escape(name), escape(value)] for name, value in runtime.items()),
                ],
            ),
            note(
                f"Measured {certificate.made} on {certificate.machine.get('cpu', 'an unknown CPU')} "
                f"({', '.join(certificate.machine.get('instructions', []))}), "
                f"{frames.get('photos', 0)} photographs and {frames.get('camera', 0)} camera frames, "
                f"pixels sha256 {str(frames.get('pixels_sha256', ''))[:16]}...; actions through "
                f"{certificate.action_policy or 'no policy'}. Made with "
                + ", ".join(f"{name} {value}" for name, value in engine.built_with.items())
                + "."
            ),
        )
    )
    lead = (
        f"How far this {engine.kind} engine in {engine.precision} is from {engine.encoder_id} in float32 on "
        f"torch, run by {runtime.get('runtime')} {runtime.get('version')}."
    )
    return page(f"Parity certificate: {engine.encoder_id}, {engine.kind}", lead, sections)


def _measures(certificate: Certificate, values: dict[str, float]) -> str:
    rows, meanings = [], []
    for name, value in values.items():
        direction, limit = LIMITS[certificate.precision].get(name, ("", None))
        verdict = "not limited"
        if limit is not None:
            verdict = "within" if (value >= limit if direction == AT_LEAST else value <= limit) else "BEYOND"
        shown = "" if limit is None else f"{direction} {limit:g}"
        rows.append([escape(name), f"{value:.6g}", escape(shown), verdict])
        meanings.append(MEANING[name])
    return table(["measure", "value", "limit", ""], rows, meanings=meanings)
