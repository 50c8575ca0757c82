import errno
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from mcap.opcode import Opcode

from theia_core.episodes import EpisodeWriter, load_episode, resample
from theia_core.episodes import writer as writer_module
from theia_core.errors import TheiaError

STRING = "std_msgs/msg/String"
HELLO = b"\x00\x01\x00\x00\x06\x00\x00\x00hello\x00"

RECORD_FOREVER = """
import sys, time
from theia_core.episodes import EpisodeWriter
writer = EpisodeWriter(sys.argv[1], {"task": "door"})
count = 0
while True:
    writer.write_cdr("/said", "std_msgs/msg/String", bytes.fromhex(sys.argv[2]), time.time_ns())
    count += 1
    print(count, time.time_ns(), flush=True)
    time.sleep(0.005)
"""


def _wait_until_flushed(writer):
    """Return when a reader sees the first message; fail if it never does."""
    deadline = time.monotonic() + 10.0
    while not load_episode(writer.partial_path, allow_partial=True).topics:
        assert time.monotonic() < deadline, "nothing was flushed"
        time.sleep(0.02)


def test_kill_9_loses_at_most_the_last_second(tmp_path):
    path = tmp_path / "a.mcap"
    process = subprocess.Popen(
        [sys.executable, "-c", RECORD_FOREVER, str(path), HELLO.hex()], stdout=subprocess.PIPE, text=True
    )
    try:
        lines = [process.stdout.readline()]
        reader = threading.Thread(target=lambda: lines.extend(process.stdout))
        reader.start()
        time.sleep(1.7)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        reader.join()
    written, last_ns = map(int, lines[-1].split())
    assert not path.exists()
    episode = load_episode(f"{path}.partial", allow_partial=True)
    assert episode.metadata["complete"] is False
    stamps = [log_time_ns for log_time_ns, _ in episode.messages("/said")]
    assert len(stamps) > 20
    assert (last_ns - stamps[-1]) * 1e-9 < 1.0
    assert written - len(stamps) < 250


RECORD_TWO = RECORD_FOREVER.replace(
    "writer = EpisodeWriter(sys.argv[1]",
    """with EpisodeWriter(sys.argv[1].replace("a.mcap", "done.mcap"), {}) as done:
    for number in range(40):
        done.write_cdr("/said", "std_msgs/msg/String", bytes.fromhex(sys.argv[2]), number)
writer = EpisodeWriter(sys.argv[1]""",
)


@pytest.mark.parametrize("batch", range(2))
def test_kill_9_at_random_moments_costs_at_most_a_second_and_no_finished_episode(tmp_path, batch):
    """20 processes in two batches, each killed at a moment of its own between 0.05 and 2 s of its episode."""
    random = np.random.default_rng(batch)
    running = []
    for index in range(10):
        path = tmp_path / str(index) / "a.mcap"
        path.parent.mkdir()
        command = [sys.executable, "-c", RECORD_TWO, str(path), HELLO.hex()]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        lines = []
        reader = threading.Thread(target=lambda out=process.stdout, to=lines: to.extend(out))
        reader.start()
        running.append((path, process, lines, reader, float(random.uniform(0.05, 2.0))))
    for _, process, lines, reader, after_s in running:
        deadline_s = time.monotonic() + 120
        while not lines and time.monotonic() < deadline_s:
            time.sleep(0.002)
        begun_ns = int(lines[0].split()[1])
        time.sleep(max(begun_ns * 1e-9 + after_s - time.time(), 0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        reader.join()
    for path, _, lines, _, _ in running:
        finished = load_episode(path.with_name("done.mcap"))
        assert (finished.metadata["complete"], finished.topics["/said"].message_count) == (True, 40)
        last_ns = int(lines[-1].split()[1])
        begun_ns = int(lines[0].split()[1])
        episode = load_episode(f"{path}.partial", allow_partial=True)
        stamps = [ns for ns, _ in episode.messages("/said")] if episode.topics else [begun_ns]
        assert (last_ns - stamps[-1]) * 1e-9 < 1.0


def test_a_power_cut_costs_a_few_seconds(tmp_path, monkeypatch):
    """What had reached the disk when the power failed is what the last sync put there."""
    monkeypatch.setattr(writer_module, "FLUSH_PERIOD_S", 0.05)
    monkeypatch.setattr(writer_module, "SYNC_PERIOD_S", 0.1)
    on_disk = []
    real = os.fdatasync

    def sync(descriptor):
        on_disk.append(os.fstat(descriptor).st_size)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", sync)
    writer = EpisodeWriter(tmp_path / "a.mcap", {})
    deadline_s, count = time.monotonic() + 20, 0
    while len(on_disk) < 8 and time.monotonic() < deadline_s:
        writer.write_cdr("/said", STRING, HELLO, count)
        count += 1
        time.sleep(0.005)
    writer.abandon()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(writer.partial_path.read_bytes()[: on_disk[-1]])
    left = load_episode(cut, allow_partial=True)
    assert left.topics["/said"].message_count > count / 2


def test_silence_does_not_keep_the_last_messages_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(writer_module, "FLUSH_PERIOD_S", 0.05)
    writer = EpisodeWriter(tmp_path / "a.mcap", {})
    writer.write_cdr("/said", STRING, HELLO, 1)
    _wait_until_flushed(writer)
    writer.discard()


def test_a_file_cut_anywhere_gives_a_sentence_or_what_is_before_the_cut(record, tmp_path):
    whole = record().read_bytes()
    cut = tmp_path / "cut.mcap"
    counts = []
    for size in np.linspace(0, len(whole) - 1, 60).astype(int):
        cut.write_bytes(whole[:size])
        with pytest.raises(TheiaError, match=r"cut.mcap"):
            load_episode(cut)
        if size >= 8:
            episode = load_episode(cut, allow_partial=True)
            assert "truncated" in episode.damage
            counts.append(sum(topic.message_count for topic in episode.topics.values()))
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == 31


def test_a_flipped_bit_in_the_messages_is_noticed(record):
    path = record()
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(TheiaError, match="cannot be read to its end: it is damaged"):
        load_episode(path)


def test_a_changed_letter_in_the_metadata_is_noticed(record):
    path = record()
    path.write_bytes(path.read_bytes().replace(b'"task": "door"', b'"task": "poor"'))
    with pytest.raises(TheiaError, match="cannot be read to its end: it is damaged"):
        load_episode(path)


def test_a_wrong_length_that_asks_for_more_memory_than_there_is_is_noticed(record):
    path = record()
    data = bytearray(path.read_bytes())
    start = 8
    while data[start] != Opcode.CHUNK:
        start += 9 + int.from_bytes(data[start + 1 : start + 9], "little")
    data[start + 9 + 32 : start + 9 + 40] = (2**60).to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(TheiaError, match="cannot be read to its end"):
        load_episode(path)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_never_gives_anything_but_a_sentence(record, seed):
    path = record(steps=4)
    random = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    for place in random.integers(0, len(data), 20):
        data[place] = random.integers(256)
    path.write_bytes(data)
    try:
        episode = load_episode(path, allow_partial=True)
        list(episode.images())
        resample(episode)
    except TheiaError as error:
        assert "demo.mcap" in str(error) or "image" in str(error)


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "a.mcap").write_bytes(b"this is not an MCAP file, only its name says so")
    for allow in (False, True):
        with pytest.raises(TheiaError, match=r"a.mcap is no MCAP file"):
            load_episode(tmp_path / "a.mcap", allow_partial=allow)
    with pytest.raises(TheiaError, match=r"cannot read episode .*No such file"):
        load_episode(tmp_path / "b.mcap")


def test_an_unfinished_recording_keeps_its_name_until_it_is_closed(tmp_path):
    writer = EpisodeWriter(tmp_path / "a.mcap", {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.mcap.partial"]
    assert writer.close() == tmp_path / "a.mcap"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mcap"]
    assert writer.close(success=True) == tmp_path / "a.mcap"
    with pytest.raises(TheiaError, match="is closed"):
        writer.write_cdr("/said", STRING, HELLO, 1)


def test_a_finished_episode_is_never_overwritten(record):
    path = record()
    before = path.read_bytes()
    with pytest.raises(TheiaError, match="exists; recordings are never overwritten"):
        record()
    assert path.read_bytes() == before


def test_what_a_crash_left_is_moved_aside_when_the_name_is_used_again(record, tmp_path):
    record(steps=2, finish=False)
    record(steps=3, finish=False)
    record(steps=4)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "demo.crashed-1.mcap.partial",
        "demo.crashed-2.mcap.partial",
        "demo.mcap",
    ]


def test_an_error_in_the_block_leaves_the_recording_unfinished(tmp_path):
    with pytest.raises(RuntimeError), EpisodeWriter(tmp_path / "a.mcap", {}) as writer:
        writer.write_cdr("/said", STRING, HELLO, 1)
        raise RuntimeError
    assert load_episode(writer.partial_path, allow_partial=True).topics["/said"].message_count == 1


def test_a_full_disk_is_reported_and_what_was_flushed_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(writer_module, "FLUSH_PERIOD_S", 0.02)
    writer = EpisodeWriter(tmp_path / "a.mcap", {})
    writer.write_cdr("/said", STRING, HELLO, 1)
    _wait_until_flushed(writer)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._stream.fileno())
    os.close(full)
    with pytest.raises(TheiaError, match=f"cannot write episode .*{os.strerror(errno.ENOSPC)}"):
        for _ in range(100):
            writer.write_cdr("/said", STRING, HELLO, 2)
            time.sleep(0.01)
    with pytest.raises(TheiaError, match="space left on the disk"):
        writer.close()
    assert not writer.path.exists()
    left = load_episode(writer.partial_path, allow_partial=True)
    assert left.topics["/said"].message_count == 1


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(TheiaError, match=r"nowhere/a.mcap.partial: No such file or directory"):
        EpisodeWriter(tmp_path / "nowhere" / "a.mcap", {})
    with pytest.raises(TheiaError, match=r"must end in .mcap"):
        EpisodeWriter(tmp_path / "a.bag", {})


def test_several_threads_may_write_at_once(tmp_path):
    writer = EpisodeWriter(tmp_path / "a.mcap", {})
    threads = [
        threading.Thread(
            target=lambda topic=topic: [writer.write_cdr(topic, STRING, HELLO, n) for n in range(300)]
        )
        for topic in ("/a", "/b", "/c")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    episode = load_episode(writer.close())
    assert {topic: info.message_count for topic, info in episode.topics.items()} == dict.fromkeys(
        ["/a", "/b", "/c"], 300
    )
