"""Pages as PDF, through a headless Chromium where the machine has one."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from theia_core.errors import TheiaError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Headless, alone with its page, and without a word to anybody's server.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_LONGEST_S = 120.0


def find_chromium() -> str | None:
    """Path of Chromium or Chrome, None if there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def print_pdf(page: Path, pdf: Path) -> None:
    """Print a self-contained page on A4.

    Raises:
        TheiaError: if there is no Chromium, or it does not print.
    """
    browser = find_chromium()
    if browser is None:
        raise TheiaError(
            "no Chromium to print a PDF with; install one (apt-get install chromium), or print the page "
            "with a browser of your own"
        )
    with tempfile.TemporaryDirectory(prefix="theia_chromium_", ignore_cleanup_errors=True) as profile:
        command = [browser, *FLAGS, f"--user-data-dir={profile}", "--no-pdf-header-footer"]
        command += [f"--print-to-pdf={pdf.resolve()}", page.resolve().as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S)
        except subprocess.TimeoutExpired:
            raise TheiaError(f"{browser} did not print {page} within {_LONGEST_S:.0f} s") from None
    if done.returncode or not pdf.is_file():
        raise TheiaError(f"{browser} did not print {page}: {done.stderr.strip()[-300:] or 'no reason given'}")
