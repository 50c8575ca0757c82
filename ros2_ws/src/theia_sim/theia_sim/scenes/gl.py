"""Choose an OpenGL that renders without a display: EGL, else OSMesa, unless MUJOCO_GL says which."""

import ctypes
import importlib
import os
from typing import Any

from theia_core.errors import TheiaError

PACKAGES = {
    "egl": "libegl1 libegl-mesa0 libgl1-mesa-dri",
    "osmesa": "libosmesa6",
}
_LIBRARIES = {
    "egl": ("libEGL.so.1", "libEGL.so"),
    "osmesa": ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"),
}


def choose_backend() -> str:
    """Name the OpenGL back end to use and put it into MUJOCO_GL, which MuJoCo's loader reads.

    Returns:
        "egl" or "osmesa"; "glfw" only where MUJOCO_GL asks for it.

    Raises:
        TheiaError: if MUJOCO_GL holds an unusable value, or neither library is installed.
    """
    wanted = os.environ.get("MUJOCO_GL", "").strip().lower()
    if wanted in ("egl", "osmesa", "glfw"):
        return wanted
    if wanted:
        raise TheiaError(f"MUJOCO_GL={wanted} cannot render here; set it to egl or osmesa, or unset it")
    for name, libraries in _LIBRARIES.items():
        if any(_loads(library) for library in libraries):
            os.environ["MUJOCO_GL"] = name
            return name
    raise TheiaError(
        "no OpenGL to render with: install it with "
        f"'apt install {PACKAGES['egl']}' (EGL) or 'apt install {PACKAGES['osmesa']}' (OSMesa)"
    )


def new_context(width: int, height: int) -> Any:
    """An off-screen OpenGL context for the calling thread, made by `choose_backend`'s choice.

    Raises:
        TheiaError: if the context cannot be made; the message names the Debian packages.
    """
    backend = choose_backend()
    try:
        module = importlib.import_module(f"mujoco.{backend}")
        context = module.GLContext(width, height)
        context.make_current()
    except Exception as error:  # the bindings raise anything from ImportError to AttributeError here
        packages = PACKAGES.get(backend, PACKAGES["egl"])
        raise TheiaError(
            f"OpenGL through {backend} does not start ({error}); "
            f"is everything of 'apt install {packages}' there?"
        ) from error
    return context


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
