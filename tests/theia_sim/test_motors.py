"""Motion profiles, motors and faults of the simulated driver, without ROS."""

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_sim.envs import make_env
from theia_sim.ros.faults import Faults
from theia_sim.ros.motion_profile import MotionProfiles
from theia_sim.ros.motors import Motors


def test_trapezoid_takes_the_whole_time_and_is_symmetric():
    profiles = MotionProfiles(np.zeros(2))
    profiles.go(0, 1.7, 10.0, 2000, 300)
    at = lambda time_s: profiles.positions_rad(time_s)[0]  # noqa: E731
    assert at(10.0) == 0.0
    assert at(10.3) == pytest.approx(0.15)  # cruise speed is 1.7 / (2 - 0.3) = 1 rad/s
    assert at(11.0) == pytest.approx(0.85)
    assert at(11.7) == pytest.approx(1.55)
    assert at(12.0) == at(13.0) == 1.7
    assert profiles.positions_rad(11.0)[1] == 0.0


@pytest.mark.parametrize(("total_ms", "ramp_ms", "halfway"), [(0, 0, 1.0), (0, 300, 1.0), (1000, 0, 0.5)])
def test_zero_times_are_as_fast_as_possible(total_ms, ramp_ms, halfway):
    profiles = MotionProfiles(np.zeros(1))
    profiles.go(0, 1.0, 0.0, total_ms, ramp_ms)
    assert profiles.positions_rad(0.5)[0] == pytest.approx(halfway)


def test_new_goal_goes_on_from_the_present_place_without_a_jump_in_speed():
    profiles = MotionProfiles(np.zeros(1))
    profiles.go(0, 1.0, 0.0, 1000, 200)
    before = profiles.positions_rad(0.5)[0], profiles.positions_rad(0.499)[0]
    profiles.go(0, -1.0, 0.5, 1000, 200)
    assert profiles.positions_rad(0.5)[0] == pytest.approx(before[0])
    after = profiles.positions_rad(0.501)[0]
    assert after - before[0] == pytest.approx(before[0] - before[1], rel=0.05)
    assert profiles.positions_rad(1.5)[0] == -1.0


def test_stream_of_goals_lags_one_and_a_half_periods():
    profiles = MotionProfiles(np.zeros(1))
    for tick in range(1, 51):
        profiles.go(0, tick * 0.02, tick * 0.02, 40, 20)  # 1 rad/s at 50 Hz
    assert 1.0 - profiles.positions_rad(1.0)[0] == pytest.approx(0.03)


@pytest.fixture
def arm():
    env = make_env("door")
    motors = Motors(env)
    env.reset(type(env).params_type.sample(0))
    motors.restart()

    def run(seconds):
        for _ in range(round(seconds / 0.002)):
            motors.before_step()
            env.step(0.002)
        return env.joint_state().position[:6]

    yield motors, run
    env.close()


def test_start_up_profile_is_slow_and_the_guards_is_fast(arm):
    motors, run = arm
    start = run(0.1).copy()
    motors.move({"waist": start[0] + 0.4})
    assert run(0.4)[0] - start[0] < 0.08
    assert run(1.8)[0] - start[0] == pytest.approx(0.4, abs=0.02)
    motors.write(motors.names, "Profile_Velocity", 40)
    motors.write(motors.names, "Profile_Acceleration", 20)
    motors.move({"waist": start[0]})
    assert run(0.4)[0] == pytest.approx(start[0], abs=0.03)


def test_overloaded_motor_sinks_alone_until_it_is_rebooted(arm):
    motors, run = arm
    start = run(0.1).copy()
    motors.overload("elbow")
    assert motors.answering() == 2
    sunk = run(0.5).copy()
    assert abs(sunk[2] - start[2]) > 0.1
    assert abs(sunk[0] - start[0]) < 0.03
    motors.set_torque(("elbow",), True)
    assert not motors._env.torque_is_on("elbow")
    motors.reboot(motors.names, enable=True, only_overloaded=True)
    assert motors.answering() is None
    assert motors.registers["elbow"]["Profile_Velocity"] == 0
    run(0.7)
    rested = run(0.1).copy()
    assert np.abs(run(0.5) - rested).max() < 0.02


def test_faults_count_down_and_end():
    now_s = [0.0]
    faults = Faults(lambda motor: None, lambda: now_s[0])
    faults.inject({"fault": "drop_commands", "count": 2})
    assert [faults.takes_command() for _ in range(3)] == [False, False, True]
    faults.inject({"fault": "short_replies", "count": 1})
    assert [faults.reply_length() for _ in range(2)] == [5, None]
    faults.inject({"fault": "usb_stall", "seconds": 2})
    assert faults.stalled and not faults.takes_command()
    now_s[0] = 2.1
    assert faults.takes_command()


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ({"fault": "fire"}, "choose one of overload"),
        ({"fault": "usb_stall"}, "takes seconds"),
        ({"fault": "usb_stall", "seconds": -1}, "seconds must be a number"),
    ],
)
def test_unknown_fault_is_refused(order, sentence):
    with pytest.raises(TheiaError, match=sentence):
        Faults(lambda motor: None).inject(order)
