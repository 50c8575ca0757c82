"""All is declared in pyproject.toml; this file only makes `pip install -e .` lay the data files too."""

from setuptools import Distribution, setup


class DistributionWithData(Distribution):
    """An editable install asks for `has_data()` before it lays data_files; setuptools itself lacks it."""

    def has_data(self) -> bool:
        """Whether there are data files (launch files, ament index markers, ros2 executables)."""
        return bool(self.data_files)


setup(distclass=DistributionWithData)
