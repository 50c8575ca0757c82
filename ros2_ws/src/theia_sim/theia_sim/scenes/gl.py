"""Chooses MuJoCo's renderer: EGL, else OSMesa; a headless machine has no other."""

import ctypes
import importlib
import os
import sys

from theia_core.errors import TheiaError

_LIBRARIES = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8"}


def choose_gl() -> str:
    """Set MUJOCO_GL unless the user did, and return it.

    Raises:
        TheiaError: if neither library is there; the message names the Debian packages.
    """
    if chosen := os.environ.get("MUJOCO_GL"):
        return chosen
    for backend, library in _LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        os.environ["MUJOCO_GL"] = backend
        if "mujoco" in sys.modules:  # imported for its kinematics alone, which left it with a windowed renderer
            context = importlib.import_module(f"mujoco.{backend}").GLContext
            importlib.import_module("mujoco.rendering.classic.gl_context").GLContext = context
        return backend
    raise TheiaError(
        "no OpenGL library for rendering without a screen; "
        "run: apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri (or libosmesa6)"
    )
