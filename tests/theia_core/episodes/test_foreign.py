"""Recordings that other software wrote, through the independent `rosbags` library."""

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from scipy.spatial.transform import Rotation

from theia_core.actions.kinematics import ArmKinematics
from theia_core.actions.profile import load_profile
from theia_core.actions.spaces import apply_delta
from theia_core.cli import main
from theia_core.episodes import load_episode, resample

THEIRS = [f"joint_{index}" for index in range(1, 7)]
MAP = """
image: /cam/image
joints: /states
joint_names: {waist: joint_1, shoulder: joint_2, elbow: joint_3, forearm_roll: joint_4, wrist_angle: joint_5,
  wrist_rotate: joint_6, left_finger: claw}
finger: {closed: 1.0, open: 0.0}
metadata: {task: door, success: true, operator: kim}
"""


def claw_at(time_s):
    """Their claw: 0 open, 1 closed; it closes at half time."""
    return float(time_s > 2.0)


def joints_at(time_s):
    return np.array(load_profile("wx250s").neutral_rad) + 0.2 * np.sin(time_s) * np.arange(6) / 6


def write_bag(path, *, storage, version, distro, stamp=True, poses=False):
    """4 s of a camera at 10 Hz, joints at 50 Hz and, if asked for, poses of the end effector."""
    store = get_typestore(distro)
    types = store.types
    kinematics = ArmKinematics(load_profile("wx250s"))

    def header(time_s):
        sec, nanosec = divmod(round(time_s * 1e9) if stamp else 0, 10**9)
        time = types["builtin_interfaces/msg/Time"](sec=sec, nanosec=nanosec)
        return types["std_msgs/msg/Header"](stamp=time, frame_id="cam")

    with Writer(path, version=version, storage_plugin=storage) as writer:

        def add(topic, name):
            return writer.add_connection(topic, name, typestore=store)

        image, states = (
            add("/cam/image", "sensor_msgs/msg/Image"),
            add("/states", "sensor_msgs/msg/JointState"),
        )
        other = add("/chatter", "std_msgs/msg/String")
        pose = add("/pose", "geometry_msgs/msg/PoseStamped") if poses else None

        def put(connection, time_s, msg):
            writer.write(
                connection, round((time_s + 0.002) * 1e9), store.serialize_cdr(msg, connection.msgtype)
            )

        put(other, 100.0, types["std_msgs/msg/String"](data="hello"))
        for index in range(200):
            time_s = 100 + 0.02 * index
            msg = types["sensor_msgs/msg/JointState"](
                header=header(time_s),
                name=["claw", *THEIRS],
                position=np.array([claw_at(0.02 * index), *joints_at(0.02 * index)]),
                velocity=np.zeros(0),
                effort=np.zeros(0),
            )
            put(states, time_s, msg)
            if pose is not None:
                position, rotation = kinematics.fk(joints_at(0.02 * index))
                x, y, z, w = Rotation.from_matrix(rotation).as_quat()
                inner = types["geometry_msgs/msg/Pose"](
                    position=types["geometry_msgs/msg/Point"](*map(float, position)),
                    orientation=types["geometry_msgs/msg/Quaternion"](x, y, z, w),
                )
                put(pose, time_s, types["geometry_msgs/msg/PoseStamped"](header=header(time_s), pose=inner))
            if index % 5 == 0:
                pixels = np.full((48, 64, 3), index, np.uint8)
                msg = types["sensor_msgs/msg/Image"](
                    header=header(time_s),
                    height=48,
                    width=64,
                    encoding="bgr8",
                    is_bigendian=0,
                    step=192,
                    data=pixels.reshape(-1),
                )
                put(image, time_s, msg)


KINDS = {
    "humble-sqlite3": {"storage": StoragePlugin.SQLITE3, "version": 8, "distro": Stores.ROS2_HUMBLE},
    "iron-sqlite3": {"storage": StoragePlugin.SQLITE3, "version": 8, "distro": Stores.ROS2_IRON},
    "jazzy-mcap": {"storage": StoragePlugin.MCAP, "version": 9, "distro": Stores.ROS2_JAZZY},
    "kilted-mcap": {"storage": StoragePlugin.MCAP, "version": 9, "distro": Stores.ROS2_KILTED},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_foreign_bag_becomes_an_episode_that_training_reads(tmp_path, kind, capsys):
    write_bag(tmp_path / "bag", **KINDS[kind])
    (tmp_path / "map.yaml").write_text(MAP)
    arguments = ["import", str(tmp_path / "bag"), "--map", str(tmp_path / "map.yaml"), "--out", str(tmp_path)]
    assert main(["episodes", *arguments, "--distro", kind.split("-")[0]]) == 0
    assert "40 frames, 200 joint states, 19 actions" in capsys.readouterr().out
    episode = load_episode(tmp_path / "bag.mcap")
    assert (episode.metadata["task"], episode.metadata["operator"]) == ("door", "kim")
    steps = resample(episode)
    np.testing.assert_allclose(steps.joints[5, :6], joints_at(1.0), atol=1e-6)
    np.testing.assert_allclose(steps.joints[[0, -1], 6], [0.037, 0.015], atol=1e-6)
    assert steps.actions[[0, -1], 6].tolist() == [1.0, 0.0]
    assert int(steps.images[5].mean()) == 50
    # the derived actions, executed one after the other, lead where the arm went
    kinematics = ArmKinematics(load_profile("wx250s"))
    position, rotation = kinematics.fk(joints_at(0.0))
    for action in steps.actions:
        position, rotation = apply_delta(position, rotation, action.astype(float))
    there, turned = kinematics.fk(joints_at(0.2 * len(steps)))
    np.testing.assert_allclose(position, there, atol=1e-5)
    np.testing.assert_allclose(rotation, turned, atol=1e-4)
    assert main(["episodes", "check", str(tmp_path / "bag.mcap")]) == 0


def test_poses_and_received_times_can_be_taken_instead(tmp_path):
    write_bag(tmp_path / "bag", **KINDS["humble-sqlite3"], stamp=False, poses=True)
    (tmp_path / "map.yaml").write_text(MAP + "actions_from: poses\nactions: /pose\nclock: received\n")
    arguments = ["import", str(tmp_path / "bag"), "--map", str(tmp_path / "map.yaml"), "--out", str(tmp_path)]
    assert main(["episodes", *arguments]) == 0
    steps = resample(load_episode(tmp_path / "bag.mcap"))
    kinematics = ArmKinematics(load_profile("wx250s"))
    moved = kinematics.fk(joints_at(1.2))[0] - kinematics.fk(joints_at(1.0))[0]
    np.testing.assert_allclose(steps.actions[5, :3], moved, atol=1e-6)
    assert steps.image_stamps_s[0] == pytest.approx(100.002)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("/cam/image", "/nowhere"), "the bag has no /nowhere; it has /cam/image, /chatter, /states"),
        (("/states", "/chatter"), "/chatter is std_msgs/msg/String; it must be sensor_msgs/msg/JointState"),
        (("joint_3", "joint_9"), "has no joint 'joint_9'"),
        (("waist", "hip"), "joint_names has 'hip'"),
        (("metadata", "meta"), "nothing but image, joints"),
    ],
)
def test_what_is_wrong_with_a_map_is_said_and_nothing_is_left_behind(tmp_path, capsys, change, complaint):
    write_bag(tmp_path / "bag", **KINDS["kilted-mcap"])
    (tmp_path / "map.yaml").write_text(MAP.replace(*change))
    arguments = [
        "import",
        str(tmp_path / "bag"),
        "--map",
        str(tmp_path / "map.yaml"),
        "--out",
        str(tmp_path / "o"),
    ]
    assert main(["episodes", *arguments]) == 2
    assert complaint in capsys.readouterr().err
    assert not list((tmp_path / "o").glob("*")) if (tmp_path / "o").exists() else True


def test_a_folder_that_is_no_bag_is_named(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "map.yaml").write_text(MAP)
    arguments = [
        "import",
        str(tmp_path / "empty"),
        "--map",
        str(tmp_path / "map.yaml"),
        "--out",
        str(tmp_path),
    ]
    assert main(["episodes", *arguments]) == 2
    assert "cannot import" in capsys.readouterr().err
