"""Encoders find the policies that were trained on them, and mismatches are refused before anything runs."""

import json
import shutil

import pytest

pytest.importorskip("torch")

from theia_core.encoders import load_encoder
from theia_core.errors import TheiaError
from theia_core.policies.artefact import shipped_policies
from theia_sim.contenders import Contender, choose_contenders, titles
from theia_training.random_encoder import main as write_random_encoder

SHIPPED = "door"


@pytest.fixture(scope="module")
def shipped_encoder():
    meta = json.loads((shipped_policies()[SHIPPED] / "policy.json").read_text())
    return meta["encoder"], meta["encoder_id"]


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoders") / "random-vit-tiny"
    assert write_random_encoder([str(folder)]) == 0
    return folder


def copy_policy(folder, **entries):
    """The shipped policy under another description; its weights stay."""
    shutil.copytree(shipped_policies()[SHIPPED], folder)
    meta = json.loads((folder / "policy.json").read_text())
    (folder / "policy.json").write_text(json.dumps(meta | entries))
    return folder


@pytest.fixture
def random_policy(random_folder, tmp_path):
    return copy_policy(
        tmp_path / "runs" / "random",
        name="random-bc",
        encoder="random-vit-tiny",
        encoder_id=load_encoder(random_folder).encoder_id,
    )


def test_nothing_named_is_the_tasks_shipped_policy(shipped_encoder):
    (only,) = choose_contenders("door", [], [])
    assert (only.policy, only.encoder_id) == (SHIPPED, shipped_encoder[1])


def test_each_encoder_finds_its_policy_shipped_ones_first(shipped_encoder, random_folder, random_policy):
    copy_policy(random_policy.parent / "again")
    found = choose_contenders("door", [], [str(random_folder), shipped_encoder[0]], [random_policy.parent])
    assert [c.policy for c in found] == [str(random_policy), str(shipped_policies()[SHIPPED])]
    assert [c.encoder_id.partition("@")[0] for c in found] == ["random-vit-tiny", shipped_encoder[0]]
    assert found[0].policy_id.startswith("random-bc@")


def test_a_policy_goes_to_the_encoder_it_was_trained_on(shipped_encoder, random_folder, random_policy):
    found = choose_contenders("door", [str(random_policy)], [shipped_encoder[0], str(random_folder)])
    assert [c.policy for c in found] == [str(shipped_policies()[SHIPPED]), str(random_policy)]


def test_the_expert_may_take_part(shipped_encoder):
    assert [c.encoder for c in choose_contenders("door", ["expert", SHIPPED], [])] == [
        None,
        shipped_encoder[0],
    ]
    assert choose_contenders("door", ["expert"], [shipped_encoder[0]])[1].policy_id == "scripted-expert"


def test_an_encoder_without_a_policy_says_what_is_missing(random_folder, random_policy, tmp_path):
    with pytest.raises(TheiaError, match="no policy of the task 'door' was trained on random-vit-tiny@"):
        choose_contenders("door", [], [str(random_folder)])
    stale = copy_policy(tmp_path / "stale" / "p", encoder="random-vit-tiny", encoder_id="random-vit-tiny@0")
    with pytest.raises(TheiaError, match="is for random-vit-tiny@0"):
        choose_contenders("door", [], [str(random_folder)], [stale.parent])
    with pytest.raises(TheiaError, match="is no folder"):
        choose_contenders("door", [], [str(random_folder)], [tmp_path / "absent"])


def test_what_does_not_fit_together_is_refused(shipped_encoder, random_folder, random_policy, tmp_path):
    with pytest.raises(TheiaError, match="none of the encoders"):
        choose_contenders("door", [str(random_policy)], [shipped_encoder[0]])
    with pytest.raises(TheiaError, match="given twice"):
        choose_contenders("door", ["door", "door"], [])
    twin = copy_policy(tmp_path / "twin")
    with pytest.raises(TheiaError, match="are one policy"):
        choose_contenders("door", ["door", str(twin)], [])
    other = copy_policy(tmp_path / "other", task="microwave")
    with pytest.raises(TheiaError, match="trained for the task 'microwave'"):
        choose_contenders("door", [str(other)], [])


def test_each_policy_is_executed_in_every_way_and_the_expert_once():
    found = choose_contenders("door", ["door", "expert"], [], (), ["receding", "receding:1", "ensemble:0.10"])
    assert [c.execution for c in found if c.policy == "door"] == ["receding:4", "receding:1", "ensemble:0.1"]
    assert [c.policy for c in found].count("expert") == 1
    assert len({tuple(c.identity.items()) for c in found}) == 4
    assert titles(found) == ("execution", ["receding:4", "receding:1", "ensemble:0.1", "scripted-expert"])


def test_without_an_execution_the_policys_card_decides():
    assert choose_contenders("door", [], [])[0].execution == "receding:4"


@pytest.mark.parametrize(
    ("policies", "executions", "message"),
    [
        ([], ["receding:4", "receding"], "--execution receding:4 is given twice"),
        ([], ["receding:11"], "receding:10 or less"),
        (["expert"], ["receding:4"], "--execution needs a policy"),
    ],
)
def test_executions_that_do_not_fit_are_refused(policies, executions, message):
    with pytest.raises(TheiaError, match=message):
        choose_contenders("door", policies, [], (), executions)


def test_an_engine_and_its_encoder_are_told_apart_by_precision():
    plain = Contender("door", "theia-tiny", "door-bc@1", "theia-tiny@2", "receding:4")
    int8 = Contender("door", "engines/int8", "door-bc@1", "theia-tiny@2 int8", "receding:4")
    assert titles([plain, int8]) == ("encoder", ["theia-tiny", "theia-tiny int8"])
    assert plain.identity != int8.identity
