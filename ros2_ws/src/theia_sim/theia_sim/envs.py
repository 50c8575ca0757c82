"""Names of the simulated tasks: `make_env(task)` and the scripted expert that goes with it."""

from typing import TYPE_CHECKING

from theia_core.errors import TheiaError

if TYPE_CHECKING:
    from theia_sim.door_env import DoorEnv
    from theia_sim.expert import DoorExpert

TASKS = ("door",)


def make_env(task: str) -> "DoorEnv":
    """The environment of a task; call its `reset` before anything else.

    Raises:
        TheiaError: if no scene of that name exists.
    """
    _require(task)
    from theia_sim.door_env import DoorEnv

    return DoorEnv()


def make_expert(task: str) -> "DoorExpert":
    """The scripted expert of a task.

    Raises:
        TheiaError: if no scene of that name exists.
    """
    _require(task)
    from theia_sim.expert import DoorExpert

    return DoorExpert()


def _require(task: str) -> None:
    if task not in TASKS:
        raise TheiaError(f"there is no simulated task {task!r}; known: {', '.join(TASKS)}")
