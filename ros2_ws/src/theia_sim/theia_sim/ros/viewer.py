"""MuJoCo's interactive window on the simulation, for people with a screen (headless:=false)."""

import os
import threading
from typing import Any

from theia_core.errors import TheiaError


class ViewerWindow:
    """A window that follows the environment; closing it leaves the simulation running."""

    def __init__(self, env: Any, lock: threading.Lock) -> None:
        """Open the window.

        Raises:
            TheiaError: if there is no screen.
        """
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise TheiaError(
                "headless is false, but there is no screen (DISPLAY is not set); use headless:=true"
            )
        import mujoco.viewer

        self._lock = lock
        with lock:
            self._viewer = mujoco.viewer.launch_passive(
                env.model, env.data, show_left_ui=False, show_right_ui=False
            )

    def show(self) -> None:
        """Bring the window up to date; called about 30 times a second."""
        if self._viewer.is_running():
            with self._lock:
                self._viewer.sync()

    def close(self) -> None:
        """Close the window."""
        self._viewer.close()
