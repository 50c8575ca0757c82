"""What killed processes have left of Fast DDS in shared memory: Fast DDS itself does not remove it.

A port's mutex may be among it. Left locked, it makes the next process that opens the port wait (Fast DDS
issues 1144 and 6117).
"""

import time
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
_YOUNG_S = 5.0  # perhaps of a process that is about to use it


def orphaned_segments(folder: Path = SHARED_MEMORY, processes: Path = Path("/proc")) -> list[Path]:
    """Files of Fast DDS, older than some seconds, that no process has mapped: segments, ports, their locks.

    Processes that cannot be seen from here, such as those of another container with the same /dev/shm, may
    use them all the same.

    Args:
        folder: where shared memory lies.
        processes: a folder NUMBER with a file `maps` for each process.
    """
    used: set[str] = set()
    for maps in processes.glob("[0-9]*/maps"):
        try:
            lines = maps.read_text().splitlines()
        except OSError:  # ended meanwhile, or not ours
            continue
        used |= {line.split()[-1] for line in lines if f"{folder}/fastdds" in line}
    found = []
    for file in sorted(folder.glob("*fastdds_*")):
        segment = file.name.removeprefix("sem.").removesuffix("_mutex").removesuffix("_el")
        try:
            young = time.time() - file.stat().st_mtime < _YOUNG_S
        except FileNotFoundError:
            continue
        if not young and str(folder / segment) not in used:
            found.append(file)
    return found
