"""Fast roll-outs: the guard sits between controller and arm, and latency and repetition are accounted for."""

import numpy as np
import pytest

from theia_core.actions.execution import ExecutionMode
from theia_core.tasks import get_task
from theia_sim.controllers import ExpertController
from theia_sim.envs import make_env, make_expert
from theia_sim.rollout import new_guard, rollout


@pytest.fixture(scope="module")
def env():
    env = make_env("door")
    yield env
    env.close()


class Scripted:
    """Plays fixed chunks and remembers what it was shown."""

    policy_id, needs_image = "test@0", False

    def __init__(self, chunk, execution):
        self.chunk, self.seen = np.asarray(chunk, np.float32), []
        self.execution = ExecutionMode.parse(execution, execute_steps=1, horizon=len(chunk))

    def reset(self, seed):
        self.seen.clear()

    def predict(self, observation):
        self.seen.append(observation.stamp_s)
        return self.chunk


def reset(env, seed=3):
    env.reset(type(env).params_type.sample(seed, base_height_m=0.43, x_position_m=0.0))


def test_a_chunk_is_executed_for_execute_steps_before_the_next_prediction(env):
    reset(env)
    executed = []
    chunk = [[0, 0, 0.001 * (i + 1), 0, 0, 0, 1] for i in range(10)]
    controller = Scripted(chunk, "receding:3")
    rollout(
        env, controller, new_guard("door"), seed=0, max_steps=7, on_step=lambda _, a: executed.append(a[2])
    )
    np.testing.assert_allclose(controller.seen, [0.0, 0.6, 1.2], atol=1e-6)
    np.testing.assert_allclose(executed, [0.001, 0.002, 0.003, 0.001, 0.002, 0.003, 0.001], atol=1e-6)


@pytest.mark.parametrize("latency_s", [0.0, 0.1])
def test_latency_delays_the_motion_but_loses_no_action(env, latency_s):
    reset(env)
    start_m = env.tcp()[0]
    controller = Scripted([[0.01, 0, 0, 0, 0, 0, 1]] * 10, "receding:5")
    result = rollout(env, controller, new_guard("door"), seed=0, max_steps=6, latency_s=latency_s)
    moved_m = (env.tcp()[0] - start_m)[0]
    assert result.refusals == {}
    assert moved_m == pytest.approx(0.06 - 0.1 * latency_s / 0.2 * 0.1, abs=0.012)


RISING = [[0, 0, 0.001 * (i + 1), 0, 0, 0, 1] for i in range(10)]


@pytest.mark.parametrize(
    ("execution", "executed_mm"),
    [
        ("receding:3", [0, 2, 3, 4, 2, 3, 4]),  # each prediction is a step late: its first action is dropped
        ("receding:3,no-latency-compensation", [0, 1, 2, 3, 1, 2, 3]),
        # At step n the actions 2, 3, ... of the predictions from n back on are due, all weighing the same.
        ("ensemble:0", [0, 2, 2.5, 3, 3.5, 4, 4.5]),
        ("ensemble:0,no-latency-compensation", [0, 1, 1.5, 2, 2.5, 3, 3.5]),
    ],
)
def test_observations_more_than_a_step_old_start_late_in_their_prediction(env, execution, executed_mm):
    reset(env)
    executed = []
    result = rollout(
        env,
        Scripted(RISING, execution),
        new_guard("door"),
        seed=0,
        max_steps=7,
        latency_s=0.3,
        on_step=lambda _, a: executed.append(1000 * a[2]),
    )
    np.testing.assert_allclose(executed, executed_mm, atol=1e-3)
    assert result.refusals == {}


def test_jumps_are_measured_where_predictions_meet(env):
    reset(env)
    jumps = rollout(env, Scripted(RISING, "receding:3"), new_guard("door"), seed=0, max_steps=7).jumps
    assert jumps["seam_m"] == pytest.approx(0.002, abs=1e-6)
    assert jumps["elsewhere_m"] == pytest.approx(0.001, abs=1e-6)
    assert jumps["seam_rad"] == 0


def test_an_expert_acts_however_late_it_is(env):
    reset(env)
    executed = []
    controller = ExpertController(env, make_expert("door"))
    rollout(
        env,
        controller,
        new_guard("door"),
        seed=0,
        max_steps=6,
        latency_s=0.3,
        on_step=lambda _, a: executed.append(a),
    )
    assert not np.any(executed[0]) and all(np.any(action) for action in executed[1:])


def test_refused_actions_are_reported_and_recorded_as_no_motion(env):
    reset(env)
    executed = []
    controller = Scripted([[np.nan] * 7] * 3, "receding:1")
    result = rollout(
        env, controller, new_guard("door"), seed=0, max_steps=3, on_step=lambda _, a: executed.append(a)
    )
    assert result.refusals["non_finite"] == 3
    assert not np.any(executed)


def test_the_expert_opens_the_door_and_the_trial_ends_soon_after(env):
    env.reset(type(env).params_type.sample(1, base_height_m=0.42, x_position_m=0.03))
    controller = ExpertController(env, make_expert("door"))
    result = rollout(env, controller, new_guard("door"), seed=1, max_steps=120)
    assert result.stages == dict.fromkeys(get_task("door").stages, True)
    assert result.steps == result.stage_steps["fully_open"] + 5


def test_a_fault_in_one_trial_does_not_reach_the_next(env):
    guard = new_guard("door")
    reset(env)
    guard.on_joint_state(0.0, np.zeros(7))
    guard.arm(0.0)
    guard.on_joint_state(0.0, np.zeros(3))  # a short answer: fault
    result = rollout(env, Scripted([[0, 0, 0, 0, 0, 0, 1]] * 2, "receding:1"), guard, seed=0, max_steps=2)
    assert result.hold_reasons == []
