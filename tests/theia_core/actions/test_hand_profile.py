"""The profile of Spot's arm is checked before anything moves."""

from pathlib import Path

import pytest
import yaml

from theia_core.actions.hand_profile import load_hand_profile
from theia_core.errors import TheiaError
from theia_core.tasks import TASKS

SHIPPED = Path(__file__).parents[3] / "deploy" / "robots" / "spot_arm.yaml"


def test_the_shipped_profile_has_every_task_of_its_robot():
    profile = load_hand_profile("spot_arm")
    assert set(profile.tasks) == {name for name, task in TASKS.items() if task.robot == profile.name}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda raw: raw.pop("guard"), "lacks guard"),
        (lambda raw: raw["guard"].update(max_stepp_m=1), "unknown max_stepp_m"),
        (lambda raw: raw.update(ready_rad=[0, 0]), "ready_rad must be 6 finite numbers"),
        (lambda raw: raw.update(ready_rad=[9] * 6), "outside the joint limits"),
        (lambda raw: raw.update(joint_lower_rad=[4] * 6), "must lie below"),
        (lambda raw: raw["guard"].update(max_step_m="far"), "guard.max_step_m must be a finite number"),
        (lambda raw: raw["guard"].update(max_step_m=-1), "guard.max_step_m must be above 0"),
        (lambda raw: raw["guard"].update(max_skew=1.0), "max_skew must lie below 1"),
        (lambda raw: raw["guard"].update(input_timeout_s=0.5), "more than the 0.4 s"),
        (lambda raw: raw["tasks"]["drawer"].update(workspace_min_m=[2, 2, 2]), "must lie below"),
        (lambda raw: raw["tasks"]["drawer"].update(max_turn_rad=4), "at most pi"),
        (lambda raw: raw["tasks"]["drawer"].pop("max_turn_rad"), "tasks.drawer lacks max_turn_rad"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, edit, message):
    raw = yaml.safe_load(SHIPPED.read_text())
    edit(raw)
    path = tmp_path / "robot.yaml"
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(TheiaError, match=message):
        load_hand_profile(str(path))


def test_unknown_robot_and_task_are_named():
    with pytest.raises(TheiaError, match="no_such_robot"):
        load_hand_profile("no_such_robot")
    with pytest.raises(TheiaError, match="no task 'door'; known: drawer"):
        load_hand_profile("spot_arm").workspace("door")
