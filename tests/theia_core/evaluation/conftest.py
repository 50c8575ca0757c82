import pytest

from theia_core.tasks import get_task


@pytest.fixture
def trials():
    """Makes trial records of the door; `fully` of `n` open it fully, two more than that only a little."""

    def trials(n=50, fully=45, **common):
        task = get_task("door")
        return [
            {
                "task": "door",
                "simulated": True,
                "index": trial.index,
                "seed": trial.seed,
                "cell": trial.cell,
                "stages": {"open": trial.index < fully + 2, "fully_open": trial.index < fully},
                "stage_steps": {},
                "steps": 60,
                "failure": None if trial.index < fully else "timeout",
                "guard_refusals": {"joint_step": 1} if trial.index == 0 else {},
                "policy": "door-bc@0123",
                "encoder": "lite@4567",
                "protocol_hash": task.protocol.hash,
                "eval_seed": 1000,
                **common,
            }
            for trial in task.protocol.trials(1000, n)
        ]

    return trials
