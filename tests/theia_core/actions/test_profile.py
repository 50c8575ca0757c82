"""A robot profile is checked before anything moves."""

from pathlib import Path

import pytest
import yaml

from theia_core.actions.profile import load_profile
from theia_core.errors import TheiaError

SHIPPED = Path(__file__).parents[3] / "deploy" / "robots" / "wx250s.yaml"


def edited(tmp_path, edit):
    raw = yaml.safe_load(SHIPPED.read_text())
    edit(raw)
    path = tmp_path / "robot.yaml"
    path.write_text(yaml.safe_dump(raw))
    return str(path)


def test_shipped_profile_loads():
    assert load_profile("wx250s").joint_names[0] == "waist"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda raw: raw.pop("guard"), "lacks guard"),
        (lambda raw: raw["guard"].pop("max_step_m"), "guard lacks max_step_m"),
        (lambda raw: raw["guard"].update(max_stepp_m=1), "unknown max_stepp_m"),
        (lambda raw: raw.update(neutral_rad=[0, 0]), "neutral_rad must be 6 finite numbers"),
        (lambda raw: raw.update(joint_lower_rad=[4] * 6), "must lie below"),
        (lambda raw: raw["tasks"]["door"].update(workspace_min_m=[1, 1, 1]), "must lie below"),
        (lambda raw: raw.update(sleep_rad=[9] * 6), "outside the joint limits"),
        (lambda raw: raw["guard"].update(max_joint_step_rad=0.6), "cannot be done in step_s"),
        (lambda raw: raw["guard"].update(ramp_rad_s=5), "ramp_rad_s must not exceed"),
        (lambda raw: raw["guard"].update(input_timeout_s=0.5), "more than the 0.4 s"),
        (lambda raw: raw["guard"].update(max_step_m="far"), "guard.max_step_m must be a finite number"),
        (lambda raw: raw["guard"].update(tick_s=0), "guard.tick_s must be above 0"),
        (lambda raw: raw.update(guard=[1, 2]), "guard must be a mapping"),
        (lambda raw: raw["gripper"].update(pwm=800), "must not exceed 350"),
        (lambda raw: raw["gripper"].update(hold_pwm=320), "hold_pwm must not exceed pwm"),
        (lambda raw: raw["gripper"].update(close_below=0.9), "close_below must lie below"),
        (lambda raw: raw["tasks"]["door"].pop("floor_m"), "tasks.door lacks floor_m"),
        (lambda raw: raw["tasks"]["door"].update(floor_m=True), "tasks.door.floor_m must be"),
        (lambda raw: raw["guarded_points"][0].update(joint="knee"), "unknown joint 'knee'"),
        (lambda raw: raw["chain"][2].pop("axis"), r"chain\[2\] lacks axis"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, edit, message):
    with pytest.raises(TheiaError, match=message):
        load_profile(edited(tmp_path, edit))


def test_unknown_robot_and_task_are_named():
    with pytest.raises(TheiaError, match="no_such_robot"):
        load_profile("no_such_robot")
    with pytest.raises(TheiaError, match="no task 'dance'; known: door"):
        load_profile("wx250s").workspace("dance")
