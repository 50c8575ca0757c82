import numpy as np

from theia_core.tasks import get_task
from theia_core.tasks.drawer import START_RANGE_M, START_RANGE_RAD

TASK = get_task("drawer")


def test_the_protocol_is_the_papers_twenty_trials():
    # Paper section D.3; Table 2 for the numbers
    assert TASK.protocol.trials_total == 20
    assert (TASK.stages, TASK.chunk_horizon, TASK.demonstrations) == (("open",), 4, 50)
    assert (TASK.action_space, TASK.control_rate_hz, len(TASK.cameras)) == ("ee_pose", 5.0, 1)
    assert (TASK.paper, TASK.paper_finetuned) == ({"open": (17, 20)}, {"open": (20, 20)})


def test_trials_and_demonstrations_start_within_the_papers_range_and_never_alike():
    most = np.array([START_RANGE_M, START_RANGE_M, START_RANGE_RAD])
    names = list(TASK.protocol.axes)
    tried = np.array([[cell[name] for name in names] for cell in TASK.protocol.cells])
    drawn = np.array([[TASK.sample_training_params(s)[name] for name in names] for s in range(2000)])
    assert np.all(np.abs(tried) <= most) and np.all(np.abs(drawn) <= most)
    assert np.all(np.abs(drawn).max(axis=0) > 0.98 * most)
    bands = np.array([TASK.training[name].keep_away for name in names])
    near = np.all(np.abs(drawn[:, None] - tried[None]) < bands, axis=2)
    assert not near.any()
    free = np.random.default_rng(0).uniform(-most, most, (2000, 3))
    assert np.all(np.abs(free[:, None] - tried[None]) < bands, axis=2).any()
