"""Draw the pictures of a simulated task in the README and the documentation.

    .venv/bin/python scripts/pictures.py door --out docs/media
    .venv/bin/python scripts/pictures.py microwave --policy expert --out docs/media

Writes, each with the task's name in front, stages.jpg (one trial of the protocol, seen by the policy's camera
above and a spectator below), scenes.jpg (randomised scenes as the policy sees them), trial.mp4 and, but not
for the expert, tokens.png (the encoder's tokens in that trial).
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from theia_core.analysis.token_map import token_picture
from theia_core.tasks import get_task
from theia_core.video import VideoWriter
from theia_sim.controllers import ExpertController, PolicyController
from theia_sim.envs import make_env, make_expert
from theia_sim.rollout import new_guard, rollout


def main() -> None:
    """Run one trial and a few resets, and write the pictures."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("task", help="task to show")
    parser.add_argument("--policy", help="policy to show, or 'expert' (the task's shipped policy)")
    parser.add_argument("--seed", type=int, default=1000, help="evaluation seed")
    parser.add_argument("--trial", type=int, default=0, help="index of the trial to show")
    parser.add_argument("--out", type=Path, default=Path("docs/media"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    task, env = get_task(arguments.task), make_env(arguments.task)
    trials = task.protocol.trials(arguments.seed, 50)
    sample = type(env).params_type.sample

    views = []
    for trial in trials[5:11]:
        env.reset(sample(trial.seed, **trial.cell))
        views.append(env.render())
    save(
        arguments.out / f"{task.id}_scenes.jpg", np.vstack([np.hstack(views[:3]), np.hstack(views[3:])]), 960
    )

    trial = trials[arguments.trial]
    env.reset(sample(trial.seed, **trial.cell))
    if arguments.policy == "expert":
        controller = ExpertController(env, make_expert(task.id), needs_image=True)
    else:
        controller = PolicyController(arguments.policy or task.id)
    frames: list[tuple[np.ndarray, np.ndarray]] = []
    result = rollout(
        env,
        controller,
        new_guard(task.id),
        seed=trial.seed,
        max_steps=task.horizon_steps,
        latency_s=0.1,
        on_step=lambda observation, _: frames.append((observation.image, env.render(camera="spectator"))),
    )
    print(f"trial {trial.index} {trial.cell}: {result.stages} in {result.steps} steps (simulated)")
    chosen = [frames[i] for i in np.linspace(0, len(frames) - 1, 5).astype(int)]
    sheet = np.vstack([np.hstack([policy for policy, _ in chosen]), np.hstack([wide for _, wide in chosen])])
    save(arguments.out / f"{task.id}_stages.jpg", sheet, 1600)
    with VideoWriter(arguments.out / f"{task.id}_trial.mp4", fps=5) as video:
        for policy, wide in frames:
            video.write(np.hstack([wide, policy]))
    if arguments.policy != "expert":
        frame = frames[len(frames) // 2][0]
        tokens = controller.encoder.encode(frame[None])[0]
        picture = token_picture(tokens, controller.encoder.spec.grid, frame)
        save(arguments.out / f"{task.id}_tokens.png", picture, picture.shape[1])
    env.close()


def save(path: Path, rgb: np.ndarray, width: int) -> None:
    """Write an RGB picture `width` pixels wide."""
    height = round(rgb.shape[0] * width / rgb.shape[1])
    resized = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), resized[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
