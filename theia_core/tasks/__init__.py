"""Tasks as data: what is asked of the robot, how it is scored and on which scenes."""

from theia_core.errors import TheiaError
from theia_core.tasks.door import DOOR
from theia_core.tasks.drawer import DRAWER
from theia_core.tasks.microwave import MICROWAVE
from theia_core.tasks.pick_place import PICK_PLACE
from theia_core.tasks.protocol import Protocol, Trial
from theia_core.tasks.seeds import FIRST_TRIAL_SEED, train_seed, trial_seed
from theia_core.tasks.task import Camera, Task

TASKS = {task.id: task for task in (DOOR, PICK_PLACE, MICROWAVE, DRAWER)}


def get_task(task_id: str) -> Task:
    """The task called `task_id`.

    Raises:
        TheiaError: if there is no such task.
    """
    if task_id not in TASKS:
        raise TheiaError(f"no task {task_id!r}; known: {', '.join(sorted(TASKS))}")
    return TASKS[task_id]


__all__ = [
    "FIRST_TRIAL_SEED",
    "TASKS",
    "Camera",
    "Protocol",
    "Task",
    "Trial",
    "get_task",
    "train_seed",
    "trial_seed",
]
