"""Plans: every policy tries every scene, taking turns, in an order that is fixed and hashed beforehand."""

import json
from collections import Counter

import pytest

from theia_core.errors import TheiaError
from theia_core.evaluation.plan import Contestant, make_plan, read_plan
from theia_core.tasks import get_task

DOOR = get_task("door")
A, B, C = (Contestant(name, f"{name}@{name * 12}", "e@1") for name in "abc")


def record(turn, plan, **changes):
    return {
        "policy": turn.contestant.policy_id,
        "index": turn.trial.index,
        "protocol_hash": DOOR.protocol.hash,
        "plan_hash": plan.hash,
        **changes,
    }


@pytest.mark.parametrize("contestants", [(A,), (A, B), (A, B, C)])
def test_every_policy_tries_every_scene_before_the_next_one(contestants):
    plan = make_plan(DOOR, contestants, seed=7)
    turns = plan.turns()
    assert len(turns) == 50 * len(contestants)
    assert [turn.number for turn in turns] == list(range(len(turns)))
    size = len(contestants)
    for start in range(0, len(turns), size):
        block = turns[start : start + size]
        assert len({turn.trial.index for turn in block}) == 1
        assert {turn.contestant for turn in block} == set(contestants)


def test_each_goes_first_equally_often_but_not_in_a_row_that_can_be_guessed():
    plan = make_plan(DOOR, (A, B), seed=7)
    firsts = [turn.contestant.policy for turn in plan.turns()[::2]]
    assert Counter(firsts) == {"a": 25, "b": 25}
    assert len({tuple(firsts[place : place + 2]) for place in range(0, 50, 2)}) == 2
    thirds = Counter((t.number % 3, t.contestant.policy) for t in make_plan(DOOR, (A, B, C), 7, 48).turns())
    assert set(thirds.values()) == {16}


def test_order_and_hash_follow_from_the_plan_alone():
    plan = make_plan(DOOR, (A, B), seed=7)
    assert plan.turns() == make_plan(DOOR, (A, B), seed=7).turns()
    others = [make_plan(DOOR, (A, B), 8), make_plan(DOOR, (A, C), 7), make_plan(DOOR, (A, B), 7, 49)]
    assert len({plan.hash, *(other.hash for other in others)}) == 4


def test_what_was_written_is_read_and_an_edited_plan_is_named(tmp_path):
    plan = make_plan(DOOR, (A, B), seed=7, scenes=4)
    path = plan.write(tmp_path)
    assert read_plan(path) == plan
    values = json.loads(path.read_text())
    assert len(values["turns"]) == 8 and values["protocol"]["stages"] == dict(DOOR.protocol.stages)
    assert values["reset"] == list(DOOR.reset)
    path.write_text(json.dumps(values | {"seed": 8}))
    with pytest.raises(TheiaError, match="it was edited"):
        read_plan(path)
    path.write_text(json.dumps(values | {"protocol_hash": "0123456789ab"}))
    with pytest.raises(TheiaError, match=r"protocol 0123456789ab.* edited in the middle of a run"):
        read_plan(path)
    path.write_text("{}")
    with pytest.raises(TheiaError, match="is no plan"):
        read_plan(path)


def test_a_run_goes_on_with_the_turns_that_do_not_count_yet():
    plan = make_plan(DOOR, (A, B), seed=7, scenes=3)
    turns = plan.turns()
    done = [record(turns[0], plan), record(turns[1], plan, counted=False), record(turns[2], plan)]
    assert plan.remaining(done) == [turns[1], *turns[3:]]


def test_records_of_other_policies_plans_and_protocols_are_named():
    plan = make_plan(DOOR, (A, B), seed=7, scenes=3)
    turn = plan.turns()[0]
    with pytest.raises(TheiaError, match="policy c@cc, which the plan does not know"):
        plan.remaining([record(turn, plan, policy="c@cc")])
    with pytest.raises(TheiaError, match="edited in the middle of a run"):
        plan.remaining([record(turn, plan, protocol_hash="0123")])
    with pytest.raises(TheiaError, match="this is plan"):
        plan.remaining([record(turn, plan, plan_hash="0123")])


def test_plans_that_compare_nothing_are_refused():
    with pytest.raises(TheiaError, match="planned twice"):
        make_plan(DOOR, (A, A), seed=7)
    with pytest.raises(TheiaError, match="at least one policy"):
        make_plan(DOOR, (), seed=7)
    with pytest.raises(TheiaError, match="at least 1 trial"):
        make_plan(DOOR, (A,), seed=7, scenes=0)


@pytest.mark.parametrize("task", ["door", "pick_place", "microwave", "drawer"])
def test_every_task_tells_the_operator_how_to_reset_it(task):
    assert len(get_task(task).reset) >= 2
