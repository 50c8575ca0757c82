"""colcon's way to build this package; pip installs it with the whole distribution (root pyproject.toml)."""

from glob import glob

from setuptools import find_packages, setup

setup(
    name="theia",
    version="0.1.0",
    packages=find_packages(include=["theia", "theia.*"]),
    package_data={"theia": ["nodekit/*.xml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/theia"]),
        ("share/theia", ["package.xml"]),
        ("share/theia/launch", glob("../../../launch/*.launch.py")),
        ("share/theia/robots", glob("../../../deploy/robots/*.yaml")),
        ("share/theia/controls", glob("../../../deploy/controls/*.yaml")),
        ("lib/theia", glob("libexec/*")),
    ],
    zip_safe=False,
)
