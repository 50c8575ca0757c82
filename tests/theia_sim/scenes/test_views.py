"""Views that encoders learn from: functions of their seeds, varied, and of scenes that no trial uses."""

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.tasks import get_task
from theia_sim.scenes.door_views import WIDE_BASE_HEIGHT_RANGE_M, DoorViews
from theia_sim.scenes.views import ViewRenderer, make_views, penetration_m

SEEDS = range(500_000, 500_024)


@pytest.fixture(scope="module")
def views():
    return DoorViews()


@pytest.fixture(scope="module")
def drawn(views):
    return [view for seed in SEEDS for view in views.draw(seed, 5)]


def door_rad(views, view):
    return view.qpos[views.env.model.joint("door").qposadr[0]]


def test_a_seed_always_gives_the_same_views(views):
    one, again, other = views.draw(500_007, 3), views.draw(500_007, 3), views.draw(500_008, 3)
    assert [view.params for view in one] == [view.params for view in again]
    assert all(np.array_equal(a.qpos, b.qpos) for a, b in zip(one, again, strict=True))
    assert one[0].params != other[0].params


def test_more_views_of_a_scene_begin_with_the_same_ones(views):
    few, many = views.draw(500_003, 2), views.draw(500_003, 6)
    assert all(np.array_equal(a.qpos, b.qpos) for a, b in zip(few, many[:2], strict=True))


def test_doors_are_closed_ajar_and_open(views, drawn):
    angles = np.array([door_rad(views, view) for view in drawn])
    assert 0.25 < np.mean(angles == 0) < 0.55
    assert np.mean(angles > 0.35) > 0.3 and np.mean(angles > 1.2) > 0.05


def test_hands_are_at_the_bar_and_far_from_it(views, drawn):
    distances_m = []
    for view in drawn:
        views.env.reset(view.params)
        penetration_m(views.env, view.qpos)  # moves the arm there
        distances_m.append(np.linalg.norm(views.env.tcp()[0] - views.env.bar_position()))
    assert np.mean(np.array(distances_m) < 0.03) > 0.12 and np.mean(np.array(distances_m) > 0.15) > 0.2


def test_nothing_sticks_in_anything_and_joints_keep_their_limits(views, drawn):
    profile = views.env.profile
    address = [views.env.model.joint(name).qposadr[0] for name in profile.joint_names]
    for view in drawn:
        views.env.reset(view.params)
        assert penetration_m(views.env, view.qpos) < 0.0065
        joints_rad = view.qpos[address]
        assert np.all(joints_rad >= profile.joint_lower_rad) and np.all(joints_rad <= profile.joint_upper_rad)


def test_scenes_go_beyond_demonstrations_and_leave_out_those_of_the_protocol(drawn):
    heights_m = np.array([view.params.base_height_m for view in drawn])
    low_m, high_m = WIDE_BASE_HEIGHT_RANGE_M
    assert heights_m.min() >= low_m and heights_m.max() <= high_m
    training = get_task("door").training["base_height_m"]
    assert np.any(heights_m < training.low) and np.any(heights_m > training.high)
    assert all(view.params.seed in SEEDS for view in drawn)


def test_about_a_third_of_the_cameras_are_others(drawn):
    share = np.mean([view.camera_m is not None for view in drawn])
    assert 0.18 < share < 0.42


def test_the_policy_camera_and_others_see_the_scene(views):
    policy = next(view for view in views.draw(500_001, 8) if view.camera_m is None)
    renderer = ViewRenderer(views.env)
    try:
        first = renderer.render(policy)
        assert first.shape == (480, 640, 3) and first.dtype == np.uint8 and first.std() > 20
        other = next(view for view in views.draw(500_002, 20) if view.camera_m is not None)
        moved = renderer.render(other)
        assert np.abs(moved.astype(int) - first).mean() > 10
        assert np.array_equal(renderer.render(policy), first)
        views.env.reset(policy.params)
        views.env.data.qpos[:] = policy.qpos
        assert np.array_equal(views.env.render(), first)  # what the policy itself would see
    finally:
        renderer.close()
        views.env.close()


def test_an_unknown_scene_is_refused():
    with pytest.raises(TheiaError, match="no views of a scene 'dishes'; known: door, pick_place, microwave"):
        make_views("dishes")


@pytest.mark.parametrize("task", ["pick_place", "microwave"])
def test_the_other_tasks_are_seen_along_the_expert_s_disturbed_way(task):
    views = make_views(task)
    drawn = [view for seed in SEEDS[:6] for view in views.draw(seed, 5)]
    again = views.draw(SEEDS[0], 5)
    assert all(np.array_equal(a.qpos, b.qpos) for a, b in zip(drawn, again, strict=False))
    hands_m = []
    for view in drawn:
        views.env.reset(view.params)
        assert penetration_m(views.env, view.qpos) < 0.0065
        hands_m.append(views.env.tcp()[0])
    assert np.ptp(hands_m, axis=0).min() > 0.1
    assert 0.1 < np.mean([view.camera_m is not None for view in drawn]) < 0.5
    assert {view.params.seed for view in drawn} == set(SEEDS[:6])


def test_the_drawer_is_seen_shut_and_open_from_the_body_and_from_elsewhere():
    views = make_views("drawer")
    drawn = [view for seed in SEEDS[:4] for view in views.draw(seed, 5)]
    assert np.array_equal(drawn[0].qpos, views.draw(SEEDS[0], 5)[0].qpos)
    drawer = views.env.model.joint("drawer").qposadr[0]
    out_m = np.array([view.qpos[drawer] for view in drawn])
    assert out_m.min() < 0.01 and out_m.max() > 0.05
    assert 0.05 < np.mean([view.camera_m is not None for view in drawn]) < 0.6
    renderer = ViewRenderer(views.env)
    other = next(view for view in drawn if view.camera_m is not None)
    assert renderer.render(other).std() > 20
    renderer.close()
