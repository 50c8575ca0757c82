"""Which NVIDIA GPU this machine has, asked of the driver's files: no library is loaded, none can hang."""

from pathlib import Path

_DRIVER = Path("/proc/driver/nvidia/gpus")
_BOARD = Path("/proc/device-tree/model")


def gpu_name(driver: Path = _DRIVER, board: Path = _BOARD) -> str | None:
    """Model of the first GPU, such as "NVIDIA GeForce RTX 4070", or the name of a Jetson board; else None."""
    for information in sorted(driver.glob("*/information")):
        for line in information.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "Model":
                return value.strip()
    try:
        model = board.read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None
    return model if "NVIDIA" in model or "Jetson" in model else None
