"""Teacher features on disk: extraction into shards, statistics, random access, and their check."""

from theia_training.features.manifest import Manifest, TeacherEntry
from theia_training.features.store import FeatureStore, Sample

__all__ = ["FeatureStore", "Manifest", "Sample", "TeacherEntry"]
