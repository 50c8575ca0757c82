"""Toy foods: those that no demonstration shows differ from the others, and the gripper can hold them all."""

import cv2
import mujoco
import numpy as np
import pytest

from theia_core.actions.profile import load_profile
from theia_core.tasks.microwave import SEEN_FOODS, UNSEEN_FOODS
from theia_sim.scenes import foods
from theia_sim.scenes.foods import FOODS

PAD_INNER_M = 0.014  # from a finger's joint position to the inner face of its pad


def compiled(name):
    xml = (
        f'<mujoco><compiler angle="radian"/><default>{foods.DEFAULTS}</default>'
        f"<asset>{foods.food_assets(name)}</asset><worldbody>{foods.food_body(name)}</worldbody></mujoco>"
    )
    return mujoco.MjModel.from_xml_string(xml)


def lab(rgb):
    """CIELAB of an sRGB colour: equal distances look about equally different."""
    return cv2.cvtColor(np.float32([[rgb]]), cv2.COLOR_RGB2LAB)[0, 0]


def extent_m(name, axis):
    """Smallest and largest coordinate of a food's solid parts along one axis of its frame."""
    model = compiled(name)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    low, high = [], []
    for place, part in enumerate(FOODS[name].parts):
        if not part.solid:
            continue
        rotation, middle = data.geom_xmat[place].reshape(3, 3), data.geom_xpos[place, axis]
        if part.vertices:
            mesh = model.mesh(model.geom_dataid[place])
            first, count = int(mesh.vertadr[0]), int(mesh.vertnum[0])
            along = model.mesh_vert[first : first + count] @ rotation[axis] + middle
            low.append(along.min())
            high.append(along.max())
            continue
        half = model.geom_aabb[place, 3:]
        reach = np.abs(rotation[axis]) @ half
        if model.geom_type[place] == mujoco.mjtGeom.mjGEOM_CAPSULE:
            reach = abs(rotation[axis, 2]) * (half[2] - half[0]) + half[0]
        low.append(middle - reach)
        high.append(middle + reach)
    return min(low), max(high)


def test_the_foods_are_those_of_the_task():
    assert tuple(FOODS) == SEEN_FOODS + UNSEEN_FOODS


@pytest.mark.parametrize("name", UNSEEN_FOODS)
def test_an_unseen_food_is_like_no_seen_one_in_shape_or_in_colour(name):
    assert FOODS[name].shape not in {FOODS[seen].shape for seen in SEEN_FOODS}
    nearest = min(np.linalg.norm(lab(FOODS[name].rgb) - lab(FOODS[seen].rgb)) for seen in SEEN_FOODS)
    assert nearest > 25  # a difference of 2.3 is just noticeable


def test_no_two_foods_look_the_same():
    looks = [(food.shape, *lab(food.rgb)) for food in FOODS.values()]
    for place, (shape, *colour) in enumerate(looks):
        for other_shape, *other in looks[place + 1 :]:
            assert shape != other_shape and np.linalg.norm(np.subtract(colour, other)) > 8


@pytest.mark.parametrize("name", FOODS)
def test_the_gripper_opens_wide_enough_and_closes_on_it(name):
    low_m, high_m = extent_m(name, axis=1)
    narrowest_m, widest_m = 2 * (load_profile("wx250s").finger_range_m - PAD_INNER_M)
    assert narrowest_m + 0.01 < high_m - low_m < widest_m - 0.008
    assert abs(high_m + low_m) < 0.008


@pytest.mark.parametrize("name", FOODS)
def test_it_stands_as_high_over_the_ground_as_it_says_and_weighs_little(name):
    assert extent_m(name, axis=2)[0] == pytest.approx(-FOODS[name].bottom_m, abs=0.0012)
    assert 0.008 < compiled(name).body("food").mass[0] < 0.05


@pytest.mark.parametrize("name", FOODS)
def test_most_of_it_has_the_colour_that_it_says(name):
    food, model = FOODS[name], compiled(name)
    solid = [place for place, part in enumerate(food.parts) if part.solid and part.rgb == food.rgb]
    assert solid and len(solid) >= sum(part.solid for part in food.parts) / 2
    assert np.allclose(model.geom_rgba[solid[0], :3], food.rgb, atol=1e-6)
