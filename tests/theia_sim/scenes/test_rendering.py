"""Pictures of the scene: sizes, cameras, threads, and an OpenGL that says what it lacks."""

import threading
import time

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_sim.envs import make_env
from theia_sim.scenes import gl


@pytest.mark.parametrize(("width", "height"), [(640, 480), (224, 224), (1280, 960)])
@pytest.mark.parametrize("camera", ["policy", "spectator"])
def test_pictures_have_the_size_asked_for_and_show_something(env, width, height, camera):
    picture = env.render(width, height, camera)
    assert picture.shape == (height, width, 3) and picture.dtype == np.uint8
    assert picture.std() > 25
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 500


def test_the_policy_camera_sees_handle_and_hand_over_the_whole_range(env):
    for height_m in (0.40, 0.46):
        for x_m in (-0.06, 0.06):
            env.reset(env.params_type.sample(1, height_m, x_m))
            for point in (env.bar_position(0.0), env.bar_position(1.2), env.tcp()[0]):
                column, row = project(env, point)
                assert 0.05 < column < 0.95 and 0.05 < row < 0.95


def project(env, point_m):
    """Column and row (0 to 1) of a point in base_link in the policy camera's 4:3 picture."""
    import mujoco

    mujoco.mj_camlight(env.model, env.data)
    camera = env.model.camera("policy")
    rotation = env.data.cam_xmat[camera.id].reshape(3, 3)
    x, y, z = rotation.T @ (point_m - env.data.cam_xpos[camera.id])
    assert z < 0
    half = np.tan(np.radians(camera.fovy[0]) / 2)
    return 0.5 + x / -z / half / 2 * 3 / 4, 0.5 - y / -z / half / 2


def test_the_picture_moves_with_the_arm_and_comes_back_with_the_scene(env):
    before = env.render(160, 120)
    env.set_joint_targets(env.profile.sleep_rad)
    env.step(1.5)
    assert np.mean(np.abs(env.render(160, 120).astype(int) - before)) > 2
    env.reset(env.params)
    np.testing.assert_array_equal(env.render(160, 120), before)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"camera": "nowhere"}, "'nowhere'; known: policy, spectator"),
        ({"width": 5000}, "5000x480"),
        ({"height": 0}, "640x0"),
    ],
)
def test_impossible_pictures_are_refused_by_name(env, arguments, named):
    with pytest.raises(TheiaError, match=named):
        env.render(**arguments)


def test_a_scene_that_was_never_reset_cannot_be_rendered():
    with pytest.raises(TheiaError, match="reset"):
        make_env("door").render()


def test_another_thread_draws_the_same_picture(env):
    expected, snapshot, drawn = env.render(320, 240), env.snapshot(), []
    renderer = env.new_renderer()

    def draw():
        drawn.append(renderer.render(snapshot, "policy", 320, 240))
        renderer.close()

    env.set_joint_targets(env.profile.sleep_rad)
    env.step(0.5)  # the snapshot is of before
    thread = threading.Thread(target=draw)
    thread.start()
    thread.join()
    np.testing.assert_array_equal(drawn[0], expected)


def test_a_renderer_refuses_a_second_thread(env):
    snapshot, caught = env.snapshot(), []
    renderer = env.new_renderer()
    renderer.render(snapshot, "policy", 64, 48)

    def draw():
        try:
            renderer.render(snapshot, "policy", 64, 48)
        except TheiaError as error:
            caught.append(str(error))

    thread = threading.Thread(target=draw)
    thread.start()
    thread.join()
    renderer.close()
    assert caught and "another thread" in caught[0]


def test_physics_goes_on_while_another_thread_draws(env):
    """Drawing without Python's lock: steps of 10 ms are made during pictures, not only between them."""
    renderer, spans, stop = env.new_renderer(), [], threading.Event()
    snapshot, ready = env.snapshot(), threading.Event()

    def draw():
        renderer.render(snapshot, "policy", 1280, 960)
        ready.set()
        while not stop.is_set():
            began_s = time.monotonic()
            renderer.render(snapshot, "policy", 1280, 960)
            spans.append((began_s, time.monotonic()))
        renderer.close()

    thread = threading.Thread(target=draw)
    thread.start()
    ready.wait()
    stepped_s = []
    while len(spans) < 5:
        env.step(0.01)
        stepped_s.append(time.monotonic())
        time.sleep(0.001)
    stop.set()
    thread.join()
    during = [sum(began <= moment <= end for moment in stepped_s) for began, end in spans]
    assert np.median(during) >= 3, during


def test_a_picture_stays_within_its_budget(env):
    """40 ms at 640x480 on an idle core; the limit here only notices a shadow or a huge mesh."""
    env.render()
    began_s = time.process_time()
    for _ in range(5):
        env.render()
    assert (time.process_time() - began_s) / 5 < 0.25


def test_a_machine_without_opengl_is_told_the_packages(monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "_loads", lambda library: False)
    with pytest.raises(TheiaError, match=r"libegl1 libegl-mesa0 libgl1-mesa-dri.*libosmesa6"):
        gl.choose_backend()


def test_osmesa_is_taken_where_egl_is_missing(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "")
    monkeypatch.setattr(gl, "_loads", lambda library: "OSMesa" in library)
    assert gl.choose_backend() == "osmesa"


def test_a_misspelt_mujoco_gl_is_refused(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "eglx")
    with pytest.raises(TheiaError, match="MUJOCO_GL=eglx"):
        gl.choose_backend()
