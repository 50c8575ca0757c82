import numpy as np
import pytest

pytest.importorskip("theia_msgs")
from builtin_interfaces.msg import Time
from sensor_msgs.msg import JointState
from std_msgs.msg import Header

from theia import topics
from theia.messages.chunks import chunk_from_message, chunk_message
from theia.messages.images import check_image, image_array, image_message, jpeg_message
from theia.messages.joints import JointReader
from theia.messages.json_object import parse_object
from theia.messages.stamps import Now, to_seconds, to_time
from theia.messages.tokens import tokens_array, tokens_message
from theia_core.actions.chunks import ActionChunk
from theia_core.episodes import topics as recorded
from theia_core.errors import TheiaError

RNG = np.random.default_rng(0)
NOW = Now(ros_s=1_795_400_000.25, monotonic_s=1234.5)


def image(width=640, height=480):
    rgb = RNG.integers(0, 256, (height, width, 3), np.uint8)
    return rgb, image_message(rgb, Time(sec=5, nanosec=6), "camera")


def test_image_survives_and_is_read_without_copying():
    rgb, message = image()
    check_image(message, 640, 480)
    array = image_array(message)
    assert np.array_equal(array, rgb)
    assert np.shares_memory(array, np.asarray(message.data))


def test_image_with_padded_rows_is_read():
    rgb, _ = image(10, 4)
    padded = np.zeros((4, 32), np.uint8)
    padded[:, :30] = rgb.reshape(4, 30)
    message = image_message(rgb, Time(), "")
    message.step = 32
    message.data = padded.tobytes()
    check_image(message, 10, 4)
    assert np.array_equal(image_array(message), rgb)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"encoding": "bgr8"}, "the camera sends bgr8 encoding instead of rgb8"),
        ({"width": 320}, "the camera sends 320x480 instead of 640x480"),
        ({"height": 1080}, "the camera sends 640x1080 instead of 640x480"),
        ({"step": 640}, "too few for 640x480"),
    ],
)
def test_wrong_image_is_refused_in_one_sentence(change, sentence):
    _, message = image()
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(TheiaError) as error:
        check_image(message, 640, 480)
    assert sentence in str(error.value)


def test_jpeg_has_the_colours_in_order():
    cv2 = pytest.importorskip("cv2")
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[..., 0] = 200
    decoded = cv2.imdecode(np.asarray(jpeg_message(rgb, Time(), "").data), cv2.IMREAD_COLOR)
    assert abs(int(decoded[16, 16, 2]) - 200) < 5
    assert decoded[16, 16, 0] < 5


def test_tokens_travel_as_half_precision_without_copying():
    tokens = RNG.normal(size=(196, 120)).astype(np.float32)
    message = tokens_message(tokens, (14, 14), "name@hash", Header(frame_id="camera"), 12.5)
    assert len(message.data) == 196 * 120 * 2
    array = tokens_array(message)
    assert array.dtype == np.float16
    assert np.array_equal(array, tokens.astype(np.float16))
    assert np.shares_memory(array, np.asarray(message.data))


def test_single_precision_tokens_are_read_too():
    tokens = RNG.normal(size=(4, 3)).astype(np.float32)
    message = tokens_message(tokens, (2, 2), "e", Header(), 0.0)
    message.data = tokens.tobytes()
    assert np.array_equal(tokens_array(message), tokens)


@pytest.mark.parametrize("change", [{"height": 13}, {"dtype": 0}, {"data": b""}, {"channels": 0}])
def test_tokens_that_do_not_fit_their_shape_are_refused(change):
    message = tokens_message(np.zeros((196, 120)), (14, 14), "name@hash", Header(), 0.0)
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(TheiaError, match="tokens of name@hash have"):
        tokens_array(message)


def test_chunk_survives_with_its_times_on_the_monotonic_clock():
    actions = RNG.normal(size=(10, 7)).astype(np.float32)
    chunk = ActionChunk(1234.4, 0.2, actions, 1234.9, 7, "door@1", "ee_delta", "")
    read = chunk_from_message(chunk_message(chunk, NOW), NOW)
    assert np.array_equal(read.actions, actions)
    assert read.stamp_s == pytest.approx(1234.4, abs=1e-6)
    assert read.expires_at_s == pytest.approx(1234.9, abs=1e-6)
    assert read.dt_s == pytest.approx(0.2)
    assert (read.sequence, read.policy_id, read.action_space) == (7, "door@1", "ee_delta")


def test_order_to_hold_survives():
    chunk = ActionChunk(1.0, 0.2, np.zeros((0, 7), np.float32), 2.0, 3, reason="tokens stale")
    read = chunk_from_message(chunk_message(chunk, NOW), NOW)
    assert read.horizon == 0
    assert read.reason == "tokens stale"


def test_chunk_whose_size_contradicts_its_shape_is_flat_so_that_the_guard_refuses_it():
    message = chunk_message(ActionChunk(1.0, 0.2, np.zeros((2, 7), np.float32), 2.0, 3), NOW)
    message.horizon = 5
    assert chunk_from_message(message, NOW).actions.ndim == 1
    message.data = []
    message.horizon = 5
    assert chunk_from_message(message, NOW).actions.ndim == 1


def test_setting_the_wall_clock_does_not_change_ages():
    stamp = NOW.to_stamp(1234.0)
    assert NOW.age_s(stamp) == pytest.approx(0.5, abs=1e-6)
    assert NOW.to_monotonic_s(stamp) == pytest.approx(1234.0, abs=1e-6)


def test_stamps_are_exact_to_a_microsecond():
    assert to_seconds(to_time(1_795_400_000.123456)) == pytest.approx(1_795_400_000.123456, abs=1e-6)


def test_joints_are_picked_by_name_and_missing_ones_are_left_out():
    reader = JointReader(("b", "a"))
    assert reader.positions(JointState(name=["a", "b", "c"], position=[1.0, 2.0, 3.0])).tolist() == [2, 1]
    assert reader.positions(JointState(name=["a"], position=[5.0])).tolist() == [5]
    assert reader.positions(JointState(name=["a", "b", "c"], position=[1.0])).tolist() == [1]


@pytest.mark.parametrize("text", ["{", "[1]", "3"])
def test_field_that_is_no_json_object_is_refused(text):
    with pytest.raises(TheiaError, match="cell_json"):
        parse_object(text, "cell_json")


def test_empty_field_is_an_empty_object():
    assert parse_object("", "cell_json") == {}


def test_topics_are_those_of_recordings():
    for name in ("IMAGE", "COMPRESSED_IMAGE", "EXECUTED_ACTION", "EPISODE_EVENT"):
        assert getattr(topics, name) == getattr(recorded, name)
