"""docs/safety.md names the limits that the guard really has."""

import re
from pathlib import Path

from .conftest import LIMITS, PROFILE

PAGE = Path(__file__).parents[3] / "docs" / "safety.md"


def test_limits_on_the_safety_page_are_those_of_the_robot_profile():
    stated = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE.read_text(), re.MULTILINE))
    assert len(stated) > 10
    for name, value in stated.items():
        source = PROFILE.gripper if hasattr(PROFILE.gripper, name) else LIMITS
        assert float(value) == getattr(source, name), name
