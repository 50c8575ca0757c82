"""Which files of /dev/shm nobody uses any more."""

import os
import time

from theia_core.shared_memory import orphaned_segments


def test_what_a_process_has_mapped_and_what_is_young_stays(tmp_path):
    shared, processes = tmp_path / "shm", tmp_path / "proc"
    (processes / "17").mkdir(parents=True)
    (processes / "18").mkdir()  # ended: its maps are gone
    shared.mkdir()
    old_s = time.time() - 60
    for port in ("fastdds_port7400", "fastdds_port7410", "fastdds_port7411"):
        for name in (port, f"{port}_el", f"sem.{port}_mutex"):
            (shared / name).touch()
            if port != "fastdds_port7411":
                os.utime(shared / name, (old_s, old_s))
    (shared / "sem.mp-abc").touch()
    os.utime(shared / "sem.mp-abc", (old_s, old_s))
    (processes / "17" / "maps").write_text(
        f"7f0-7f1 rw-s 0 00:1 1 {shared}/fastdds_port7400\n7f2-7f3 r-xp 0 00:1 2 /usr/lib/libfastdds.so\n"
    )
    names = [path.name for path in orphaned_segments(shared, processes)]
    assert names == ["fastdds_port7410", "fastdds_port7410_el", "sem.fastdds_port7410_mutex"]


def test_without_shared_memory_there_is_nothing(tmp_path):
    assert orphaned_segments(tmp_path / "absent", tmp_path) == []
