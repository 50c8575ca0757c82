"""Episodes: one demonstration or trial as one MCAP file, written crash-safe, read, and resampled."""

from theia_core.episodes.reader import ActionSeries, Episode, Event, JointSeries, find_episodes, load_episode
from theia_core.episodes.recorder import EpisodeRecorder
from theia_core.episodes.resample import ControlSteps, LazyImages, resample
from theia_core.episodes.writer import EpisodeWriter

__all__ = [
    "ActionSeries",
    "ControlSteps",
    "Episode",
    "EpisodeRecorder",
    "EpisodeWriter",
    "Event",
    "JointSeries",
    "LazyImages",
    "find_episodes",
    "load_episode",
    "resample",
]
