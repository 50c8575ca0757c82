"""The simulated tasks by name."""

from importlib import import_module
from typing import Any

from theia_core.errors import TheiaError

# Module and class of each task's environment and of its scripted expert.
_SCENES = {
    "door": ("door:DoorEnv", "expert:DoorExpert"),
    "pick_place": ("pick_place:PickPlaceEnv", "pick_place_expert:PickPlaceExpert"),
    "drawer": ("drawer:DrawerEnv", "drawer_expert:DrawerExpert"),
    "microwave": ("microwave:MicrowaveEnv", "microwave_expert:MicrowaveExpert"),
}
TASKS = tuple(_SCENES)


def make_env(task: str) -> Any:
    """A new environment of the task; call its `reset` before anything else.

    Raises:
        TheiaError: if there is no simulation of that task.
    """
    return _make(task, 0)


def make_expert(task: str) -> Any:
    """The scripted expert of the task, with `act(env) -> (D,)`, an action of the environment's space.

    Raises:
        TheiaError: if there is no simulation of that task.
    """
    return _make(task, 1)


def _make(task: str, which: int) -> Any:
    if task not in _SCENES:
        raise TheiaError(f"there is no simulated task {task!r}; known: {', '.join(TASKS)}")
    module, name = _SCENES[task][which].split(":")
    return getattr(import_module(f"theia_sim.scenes.{module}"), name)()
