"""The simulated tasks by name."""

from typing import Any

from theia_core.errors import TheiaError

TASKS = ("door", "microwave")


def make_env(task: str) -> Any:
    """A new environment of the task; call its `reset` before anything else.

    Raises:
        TheiaError: if there is no simulation of that task.
    """
    _require(task)
    if task == "microwave":
        from theia_sim.scenes.microwave import MicrowaveEnv

        return MicrowaveEnv()
    from theia_sim.scenes.door import DoorEnv

    return DoorEnv()


def make_expert(task: str) -> Any:
    """The scripted expert of the task, with `act(env) -> (7,)`.

    Raises:
        TheiaError: if there is no simulation of that task.
    """
    _require(task)
    if task == "microwave":
        from theia_sim.scenes.microwave_expert import MicrowaveExpert

        return MicrowaveExpert()
    from theia_sim.scenes.expert import DoorExpert

    return DoorExpert()


def _require(task: str) -> None:
    if task not in TASKS:
        raise TheiaError(f"there is no simulated task {task!r}; known: {', '.join(TASKS)}")
