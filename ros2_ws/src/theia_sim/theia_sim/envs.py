"""The simulated tasks by name."""

from typing import Any

from theia_core.errors import TheiaError


def make_env(task: str) -> Any:
    """A new environment of the task.

    Raises:
        TheiaError: if there is no simulation of that task, or nothing to render it with.
    """
    if task == "door":
        from theia_sim.scenes.door import DoorEnv

        return DoorEnv()
    raise TheiaError(f"there is no simulation of task {task!r}; there is: door")


def make_expert(task: str) -> Any:
    """The scripted expert of the task, with `act(env) -> (7,)`."""
    if task == "door":
        from theia_sim.scenes.expert import DoorExpert

        return DoorExpert()
    raise TheiaError(f"there is no scripted expert for task {task!r}; there is: door")
