"""Draw the pictures of a simulated task in the README and the documentation.

    python scripts/pictures.py stages --task pick_place --trial 6 --out docs/media/pick_place_stages.png
    python scripts/pictures.py stages --task microwave --trial 10 --out docs/media/microwave_stages.png
    python scripts/pictures.py stages --task drawer --trial 3 --out docs/media/drawer_stages.png
    python scripts/pictures.py trial --task door --trial 1 --out docs/media

`stages` is a contact sheet of one trial of the protocol: a column for the start and for the moment at which
each stage was reached, and of a task with one stage for a moment on the way, seen by the policy's camera
above and by a spectator below. `trial` writes, each with the task's name in front, scenes.jpg (randomised
scenes as the policy sees them), trial.mp4 and, but not for the expert, tokens.png (the encoder's tokens in
that trial). Who acts is the task's shipped policy, or the expert where there is none; --policy chooses.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from theia_core.analysis.token_map import token_picture
from theia_core.policies.artefact import shipped_policies
from theia_core.tasks import Task, get_task
from theia_core.tasks.protocol import Trial
from theia_core.video import VideoWriter
from theia_sim.controllers import ExpertController, PolicyController
from theia_sim.envs import make_env, make_expert
from theia_sim.rollout import Observation, RolloutResult, new_guard, rollout
from theia_sim.scenes.rendering import Snapshot, SnapshotRenderer

EXPERT = "expert"
LATENCY_S = 0.1
CELL_PX = (480, 360)
GAP_PX, LABEL_PX, FOOT_PX = 6, 34, 30
COLOURS = 256
PAPER, INK, GREY = (255, 255, 255), (25, 25, 25), (110, 110, 110)


def main() -> None:
    """Run one trial and write its pictures."""
    arguments = _arguments()
    show = TrialShow(get_task(arguments.task), arguments.policy, arguments.seed, arguments.trial)
    try:
        if arguments.what == "stages":
            arguments.out.parent.mkdir(parents=True, exist_ok=True)
            show.stages(arguments.out)
        else:
            arguments.out.mkdir(parents=True, exist_ok=True)
            show.scenes(arguments.out / f"{arguments.task}_scenes.jpg")
            show.film(arguments.out)
    finally:
        show.env.close()


def _arguments() -> argparse.Namespace:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("what", choices=("stages", "trial"), help="what to draw")
    parser.add_argument("--task", required=True, help="task to show")
    parser.add_argument("--policy", help="policy to show, or 'expert' (the task's shipped policy, if any)")
    parser.add_argument("--seed", type=int, default=1000, help="evaluation seed (1000)")
    parser.add_argument("--trial", type=int, default=0, help="index of the trial to show (0)")
    parser.add_argument("--out", type=Path, required=True, help="file of the stages, folder of the rest")
    return parser.parse_args()


@dataclass(frozen=True)
class Moment:
    """One column of a contact sheet."""

    label: str
    snapshot: Snapshot


class TrialShow:
    """One trial of a task's protocol, to be run and drawn."""

    def __init__(self, task: Task, policy: str | None, seed: int, index: int) -> None:
        """Set up the simulation and who acts in it."""
        self.task, self.env, self.index = task, make_env(task.id), index
        self.trials: list[Trial] = task.protocol.trials(seed, max(index + 1, 11))
        chosen = policy or (task.id if task.id in shipped_policies() else EXPERT)
        self.controller: Any = (
            ExpertController(self.env, make_expert(task.id)) if chosen == EXPERT else PolicyController(chosen)
        )

    def stages(self, path: Path) -> None:
        """Write the contact sheet.

        Raises:
            SystemExit: if the trial did not reach every stage.
        """
        trial = self._reset(self.index)
        snapshots = [self.env.snapshot()]
        result = self._run(trial, lambda *_: snapshots.append(self.env.snapshot()))
        if missed := [name for name, reached in result.stages.items() if not reached]:
            raise SystemExit(f"trial {trial.index} did not reach {', '.join(missed)}; choose another --trial")
        moments = [Moment("start", snapshots[0])]
        if len(self.task.stages) == 1:
            snapshot = snapshots[result.stage_steps[self.task.stages[0]] * 2 // 3]
            moments.append(Moment(f"{snapshot.time_s:.1f} s", snapshot))
        for name in self.task.stages:
            snapshot = snapshots[result.stage_steps[name]]
            moments.append(Moment(f"{name}, {snapshot.time_s:.1f} s", snapshot))
        policy = self.env.new_renderer()
        spectator = SnapshotRenderer(self.env.spectator_model, self.env.place, samples=8, shadows=True)
        rows = [
            [renderer.render(moment.snapshot, camera, 640, 480) for moment in moments]
            for renderer, camera in ((policy, "policy"), (spectator, "spectator"))
        ]
        policy.close()
        spectator.close()
        who = (
            "scripted expert" if isinstance(self.controller, ExpertController) else self.controller.policy_id
        )
        cell = ", ".join(f"{name} {value}" for name, value in trial.cell.items())
        foot = (
            f"{self.task.title}, simulated: {who}, trial {trial.index} ({cell}). "
            "Above: the policy's camera; below: a spectator."
        )
        sheet = contact_sheet(rows, [moment.label for moment in moments], foot)
        sheet.quantize(COLOURS, kmeans=3, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"wrote {path}, {sheet.width}x{sheet.height}, {path.stat().st_size / 1000:.0f} kB")

    def scenes(self, path: Path) -> None:
        """Write six randomised scenes of the protocol."""
        views = []
        for index in range(5, 11):
            self._reset(index)
            views.append(self.env.render())
        save(path, np.vstack([np.hstack(views[:3]), np.hstack(views[3:])]), 960)

    def film(self, folder: Path) -> None:
        """Write the trial's video, and the encoder's tokens in its middle."""
        trial = self._reset(self.index)
        frames: list[tuple[np.ndarray, np.ndarray]] = []
        self.controller.needs_image = True

        def keep(observation: Observation, _: np.ndarray) -> None:
            assert observation.image is not None
            frames.append((observation.image, self.env.render(camera="spectator")))

        self._run(trial, keep)
        with VideoWriter(folder / f"{self.task.id}_trial.mp4", fps=5) as video:
            for policy, wide in frames:
                video.write(np.hstack([wide, policy]))
        if isinstance(self.controller, PolicyController):
            frame, encoder = frames[len(frames) // 2][0], self.controller.encoder
            picture = token_picture(encoder.encode(frame[None])[0], encoder.spec.grid, frame)
            save(folder / f"{self.task.id}_tokens.png", picture, picture.shape[1])

    def _reset(self, index: int) -> Trial:
        trial = self.trials[index]
        self.env.reset(type(self.env).params_type.sample(trial.seed, **trial.cell))
        return trial

    def _run(self, trial: Trial, on_step: Any) -> RolloutResult:
        result = rollout(
            self.env,
            self.controller,
            new_guard(self.task.id),
            seed=trial.seed,
            max_steps=self.task.horizon_steps,
            latency_s=LATENCY_S,
            on_step=on_step,
        )
        print(f"trial {trial.index} {trial.cell}: {result.stages} in {result.steps} steps (simulated)")
        return result


def contact_sheet(rows: list[list[np.ndarray]], labels: list[str], foot: str) -> Image.Image:
    """Pictures (480, 640, 3) in rows and columns, a label over each column and a line below all."""
    width_px, height_px = CELL_PX
    columns = len(labels)
    size = (
        columns * (width_px + GAP_PX) - GAP_PX,
        LABEL_PX + len(rows) * (height_px + GAP_PX) - GAP_PX + FOOT_PX,
    )
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, label in enumerate(labels):
        left = column * (width_px + GAP_PX)
        font = ImageFont.load_default(20)
        draw.text((left + width_px / 2, LABEL_PX / 2), label, INK, font, anchor="mm")
        for row, pictures in enumerate(rows):
            picture = Image.fromarray(pictures[column]).resize(CELL_PX, Image.Resampling.LANCZOS)
            sheet.paste(picture, (left, LABEL_PX + row * (height_px + GAP_PX)))
    draw.text((2, size[1] - FOOT_PX / 2), foot, GREY, ImageFont.load_default(16), anchor="lm")
    return sheet


def save(path: Path, rgb: np.ndarray, width: int) -> None:
    """Write an RGB picture `width` pixels wide."""
    height = round(rgb.shape[0] * width / rgb.shape[1])
    resized = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), resized[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
