"""colcon's way to build this package; pip installs it with the whole distribution (root pyproject.toml)."""

from glob import glob

from setuptools import find_packages, setup

setup(
    name="theia_sim",
    version="0.1.0",
    packages=find_packages(include=["theia_sim", "theia_sim.*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/theia_sim"]),
        ("share/theia_sim", ["package.xml"]),
        ("lib/theia_sim", glob("libexec/*")),
    ],
    zip_safe=False,
)
