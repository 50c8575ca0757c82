"""List the names that NVIDIA's real bindings have, on a machine without a GPU, to check our use of them.

    pip download --no-deps -d wheels 'tensorrt-cu12-bindings<11' cuda-bindings cuda-pathfinder
    pip download --no-deps -d wheels tensorrt-cu12-bindings tensorrt-cu13-bindings
    python -m theia_deploy.nvidia_names tests/data/nvidia_names.json wheels/*.whl

The bindings of TensorRT are an extension module that wants three libraries of which it uses nine functions.
Libraries with these nine functions and nothing in them, made with the C compiler, let it be imported: its
classes are then all there to look at.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from theia_core.errors import TheiaError
from theia_core.files import whole_file

_LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
_FUNCTIONS = (
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "getBuilderPluginRegistry",
    "getNvOnnxParserVersion",
    "getPluginRegistry",
    "initLibNvInferPlugins",
)
_LIST = """
import importlib, json, sys
sys.path[:0] = json.loads(sys.argv[2])
module = importlib.import_module(sys.argv[1])
names = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
print(json.dumps({
    name: [n for n in dir(value) if not n.startswith("_")] if isinstance(value, type) else []
    for name, value in names.items()
}))
"""


def names_of(wheels: list[Path]) -> dict[str, dict[str, list[str]]]:
    """Wheel's name and version -> name in the module -> names of its members.

    Raises:
        TheiaError: if a wheel cannot be imported, or there is no C compiler.
    """
    found = {}
    helpers = [wheel for wheel in wheels if wheel.name.startswith("cuda_pathfinder")]
    for wheel in sorted(set(wheels) - set(helpers)):
        label = "-".join(wheel.name.split("-")[:2])
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for archive in (wheel, *helpers):
                with zipfile.ZipFile(archive) as content:
                    content.extractall(root)
            if label.startswith("tensorrt"):
                version = re.search(r"-(\d+)\.", wheel.name)
                assert version is not None
                _make_empty_libraries(root, version[1])
                found[label] = _list("tensorrt_bindings", [str(root)], root)
            else:
                found[label] = _list("cuda.bindings.runtime", [str(root)], root)
    return found


def _make_empty_libraries(folder: Path, version: str) -> None:
    source = folder / "empty.c"
    source.write_text("\n".join(f"void *{name}(void) {{ return 0; }}" for name in _FUNCTIONS))
    for library in _LIBRARIES:
        name = f"lib{library}.so.{version}"
        command = ["cc", "-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", str(folder / name), str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise TheiaError(f"cannot compile {source.name} ({error}); install a C compiler") from error


def _list(module: str, path: list[str], libraries: Path) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LIST, module, json.dumps(path)],
        env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise TheiaError(f"{module} cannot be imported: {reason}; is the wheel for this Python?")
    return json.loads(done.stdout)


def main(arguments: list[str] | None = None) -> int:
    """Write the names of the wheels on the command line."""
    parser = argparse.ArgumentParser(prog="python -m theia_deploy.nvidia_names", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("json", type=Path, help="file to write")
    parser.add_argument("wheels", type=Path, nargs="+", help="wheels of the bindings")
    options = parser.parse_args(arguments)
    names = names_of(options.wheels)
    with whole_file(options.json) as file:
        file.write(json.dumps(names, separators=(",", ":")).encode() + b"\n")
    for label, module in names.items():
        print(f"{label}: {len(module)} names")
    return 0


if __name__ == "__main__":
    sys.exit(main())
