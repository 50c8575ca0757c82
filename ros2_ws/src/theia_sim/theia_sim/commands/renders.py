"""`theia renders`: pictures of randomised simulated scenes, for encoders to learn from."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from theia_core.cli import Command
from theia_core.errors import TheiaError

EXAMPLES = """examples:
  theia renders door --images 5000 --out data/renders          five views of each of 1000 scenes
  theia renders door --images 20000 --out data/renders --workers 16
  theia renders microwave --images 1500 --out data/renders/microwave
  theia renders drawer --images 1500 --out data/renders/drawer

Scenes come from training seeds that demonstrations leave free (500,000 and up), and from no evaluation.
Pictures are named SEED__VIEW.jpg, so that training and held-out pictures can be split by scene. Finished
scenes are kept."""

FIRST_SEED = 500_000
JPEG_QUALITY = 95


@dataclass(frozen=True)
class RenderOptions:
    """What to draw: `views` pictures of each scene into folder `out`."""

    task: str
    out: Path
    seed: int
    images: int
    views: int

    def __post_init__(self) -> None:
        """Refuse numbers that give no picture, or scenes of demonstrations."""
        if self.images < 1 or self.views < 1:
            raise TheiaError(f"--images {self.images} and --views {self.views} must be at least 1")
        if self.seed < FIRST_SEED:
            raise TheiaError(f"--seed {self.seed} belongs to demonstrations; choose {FIRST_SEED} or more")

    @property
    def scenes(self) -> int:
        """Number of scenes."""
        return -(-self.images // self.views)

    def paths(self, index: int) -> list[Path]:
        """Files of scene `index`."""
        count = min(self.views, self.images - index * self.views)
        return [self.out / f"{self.seed + index}__{view}.jpg" for view in range(count)]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("task", help="task whose scenes are drawn, such as door")
    parser.add_argument("--images", type=int, default=5000, help="number of pictures (%(default)s)")
    parser.add_argument("--views", type=int, default=5, help="pictures of each scene (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pictures")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="first training seed (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Draw until the folder holds the wanted number of pictures."""
    from theia_sim.parallel import run_parallel
    from theia_sim.scenes.views import SCENES

    if arguments.task not in SCENES:
        raise TheiaError(f"there are no scenes of a task {arguments.task!r}; known: {', '.join(SCENES)}")
    options = RenderOptions(arguments.task, arguments.out, arguments.seed, arguments.images, arguments.views)
    options.out.mkdir(parents=True, exist_ok=True)
    todo = [
        index for index in range(options.scenes) if not all(path.exists() for path in options.paths(index))
    ]
    if done := options.scenes - len(todo):
        print(f"{done} of {options.scenes} scenes are there already")
    drawn = run_parallel(_Painter, options, todo, workers=arguments.workers, label=f"renders {options.task}")
    print(f"drew {sum(drawn)} pictures of {len(drawn)} scenes into {options.out} (simulated)")
    return 0


class _Painter:
    """One worker: its scene and OpenGL context are made once."""

    def __init__(self, options: RenderOptions) -> None:
        from theia_sim.scenes.views import ViewRenderer, make_views

        self.options = options
        self.views = make_views(options.task)
        self.renderer = ViewRenderer(self.views.env)

    def __call__(self, index: int) -> int:
        from PIL import Image

        from theia_core.tasks import train_seed

        paths = self.options.paths(index)
        views = self.views.draw(train_seed(self.options.seed + index), self.options.views)
        for path, view in zip(paths, views, strict=False):
            partial = path.with_suffix(".part")
            Image.fromarray(self.renderer.render(view)).save(partial, "JPEG", quality=JPEG_QUALITY)
            partial.replace(path)
        return len(paths)

    def close(self) -> None:
        """Free the renderer."""
        self.renderer.close()


COMMAND = Command("draw randomised simulated scenes as training images", configure, run)
