import xml.etree.ElementTree as ElementTree

import pytest

from theia.nodekit.transport import PROFILE, UDP_PROFILE, apply_transport_defaults

VGA_BYTES = 640 * 480 * 3


def test_defaults_are_set_where_the_user_chose_nothing():
    environment = {}
    apply_transport_defaults(environment)
    assert environment["FASTDDS_DEFAULT_PROFILES_FILE"] == str(PROFILE)
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"


def test_the_guard_shares_no_memory_also_as_the_child_of_a_node_that_does():
    environment = {}
    apply_transport_defaults(environment)
    apply_transport_defaults(environment, shared_memory=False)
    assert environment["FASTDDS_DEFAULT_PROFILES_FILE"] == str(UDP_PROFILE)
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] != "LOCALHOST"  # which would add shared memory
    profile = list(ElementTree.parse(UDP_PROFILE).getroot().iter())
    assert [node.text for node in profile if node.tag.endswith("}type")] == ["UDPv4"]
    assert [node.text for node in profile if node.tag.endswith("}address")] == ["127.0.0.1"]


def test_the_guard_on_a_network_that_the_user_chose_shares_no_memory_either():
    environment = {"ROS_STATIC_PEERS": "10.0.0.2"}
    apply_transport_defaults(environment, shared_memory=False)
    assert environment == {"ROS_STATIC_PEERS": "10.0.0.2", "FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}
    mine = {"FASTDDS_DEFAULT_PROFILES_FILE": "/mine.xml", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    environment = dict(mine)
    apply_transport_defaults(environment, shared_memory=False)
    assert environment == mine


@pytest.mark.parametrize(
    "chosen", [{"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}, {"FASTDDS_DEFAULT_PROFILES_FILE": "/mine.xml"}]
)
def test_users_transport_stays(chosen):
    environment = dict(chosen)
    apply_transport_defaults(environment)
    assert environment == chosen | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


@pytest.mark.parametrize(
    "chosen", [{"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, {"ROS_STATIC_PEERS": "10.0.0.2"}]
)
def test_users_discovery_stays(chosen):
    environment = dict(chosen)
    apply_transport_defaults(environment)
    assert {name: environment[name] for name in chosen} == chosen
    assert environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE") != "LOCALHOST"


def test_jazzy_gets_the_variable_that_its_fast_dds_reads():
    environment = {"ROS_DISTRO": "jazzy"}
    apply_transport_defaults(environment)
    assert environment["FASTRTPS_DEFAULT_PROFILES_FILE"] == str(PROFILE)
    assert "FASTDDS_DEFAULT_PROFILES_FILE" not in environment


def test_shared_memory_holds_four_images_and_a_message_holds_one():
    spaces = {"dds": "http://www.eprosima.com"}
    root = ElementTree.parse(PROFILE).getroot()
    segment = int(root.find(".//dds:segment_size", spaces).text)
    largest = int(root.find(".//dds:maxMessageSize", spaces).text)
    assert segment >= 4 * VGA_BYTES
    assert largest > VGA_BYTES
