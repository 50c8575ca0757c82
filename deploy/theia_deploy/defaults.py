"""Where commands look for real frames unless told otherwise."""

from pathlib import Path

PHOTOS, EPISODES = Path("data/photos_eval"), Path("data/certificate_door")
