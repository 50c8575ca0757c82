"""Draw a part of one of our pages for the README, with a headless Chromium.

python scripts/page_picture.py docs/reports/encoders/report.html docs/media/encoders.png --rows 0 1000
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from theia_core.analysis.page.browser import FLAGS, find_chromium

COLOURS = 256


def main() -> int:
    """Draw the page and keep the rows that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path, help="HTML file")
    parser.add_argument("out", type=Path, help="PNG file")
    parser.add_argument(
        "--rows", type=int, nargs=2, required=True, help="first row and the one behind the last"
    )
    parser.add_argument("--width", type=int, default=1000, help="width of the page in pixels (1000)")
    arguments = parser.parse_args()
    browser = find_chromium()
    if browser is None:
        print("no Chromium to draw with; apt-get install chromium", file=sys.stderr)
        return 2
    first, last = arguments.rows
    with tempfile.TemporaryDirectory(prefix="theia_chromium_", ignore_cleanup_errors=True) as folder:
        whole = Path(folder) / "whole.png"
        command = [browser, *FLAGS, f"--user-data-dir={folder}/profile", "--hide-scrollbars"]
        command += [f"--screenshot={whole}", f"--window-size={arguments.width},{last}"]
        subprocess.run([*command, arguments.page.resolve().as_uri()], check=True, capture_output=True)
        picture = Image.open(whole).convert("RGB").crop((0, first, arguments.width, last))
    picture.quantize(COLOURS).save(arguments.out, optimize=True)
    print(f"wrote {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
