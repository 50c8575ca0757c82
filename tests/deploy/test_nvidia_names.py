"""Every name of TensorRT and CUDA in our sources exists in NVIDIA's real bindings, versions 10 and 11."""

import ast
import importlib.util
import json
from pathlib import Path

import pytest

import theia_core.runtimes.cuda as cuda_module
import theia_core.runtimes.tensorrt_engine as engine_module

NAMES = json.loads((Path(__file__).parents[1] / "data" / "nvidia_names.json").read_text())
TENSORRT = [label for label in NAMES if label.startswith("tensorrt")]
(CUDA,) = [label for label in NAMES if label.startswith("cuda_bindings")]
BUILD = importlib.util.find_spec("theia_deploy.tensorrt_build").origin
# What the objects behind our variables are: variable or attribute -> class in the bindings.
CLASSES = {
    "builder": "Builder",
    "network": "INetworkDefinition",
    "parser": "OnnxParser",
    "config": "IBuilderConfig",
    "profile": "IOptimizationProfile",
    "frames": "ITensor",
    "_runtime": "Runtime",
    "_engine": "ICudaEngine",
    "context": "IExecutionContext",
}
# Only TensorRT for RTX has targets, and only its branch uses them.
RTX_ONLY = {"num_compute_capabilities", "set_compute_capability", "ComputeCapability"}


def chains(path):
    """Dotted names in a source file, as tuples."""
    found = set()
    for node in ast.walk(ast.parse(Path(path).read_text())):
        parts, inner = [], node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and parts:
            found.add((inner.id, *reversed(parts)))
    return found


def missing(used, names):
    """Chains that begin with `trt` or one of our objects and lead to nothing in the bindings."""
    absent = set()
    for chain in used:
        root, *parts = chain
        if root == "self" and parts[0] in CLASSES:
            root, *parts = parts
        if not parts or RTX_ONLY & set(parts):
            continue
        if parts[-1].startswith("__"):
            continue
        if root == "trt":
            known = parts[0] in names and (len(parts) == 1 or parts[1] in names[parts[0]])
        elif root in CLASSES:
            known = parts[0] in names[CLASSES[root]]
        else:
            continue
        if not known:
            absent.add(chain)
    return absent


@pytest.mark.parametrize("label", TENSORRT)
def test_every_tensorrt_name_that_we_use_is_in_the_bindings(label):
    used = chains(engine_module.__file__) | chains(BUILD)
    roots = {chain[1] if chain[0] == "self" else chain[0] for chain in used}
    assert {"trt", *CLASSES} <= roots, "a variable was renamed: keep CLASSES up to date"
    assert not missing(used, NAMES[label])


def test_the_check_would_see_a_name_that_version_11_dropped():
    used = {
        ("trt", "BuilderFlag", "FP16"),
        ("builder", "platform_has_fast_fp16"),
        ("parser", "supports_model"),
    }
    old, new = (next(n for n in TENSORRT if f"-{major}." in n) for major in (10, 11))
    assert missing(used, NAMES[new]) == used
    assert missing(used, NAMES[old]) == set()


def test_every_cuda_name_that_we_use_is_in_the_bindings():
    used = {chain[2:] for chain in chains(cuda_module.__file__) if chain[:2] == ("self", "_cuda")}
    used |= {chain[1:] for chain in chains(cuda_module.__file__) if chain[0] == "runtime"}
    used.discard(())
    names = NAMES[CUDA]
    assert len(used) > 12
    for first, *rest in used:
        assert first in names, f"{CUDA} has no {first}"
        assert not rest or rest[0] in names[first], f"{CUDA} has no {first}.{rest[0]}"
