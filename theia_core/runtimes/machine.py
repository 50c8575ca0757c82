"""What machine this is, as far as it decides how fast a network runs."""

import os
import platform
from pathlib import Path
from typing import Any

from theia_core.runtimes.gpu import gpu_name

# Instructions that matrix products gain from, the lesser ones first.
_INSTRUCTIONS = (
    "avx2",
    "fma",
    "avx512f",
    "avx_vnni",
    "avx512_vnni",
    "avx512_bf16",
    "amx_int8",
    "asimddp",
    "i8mm",
)


def machine_facts() -> dict[str, Any]:
    """CPU, instructions, cores that this process may use, memory [GB], GPU (None without one)."""
    model, flags = platform.processor() or platform.machine(), set()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
            elif key.strip() in ("flags", "Features"):
                flags = set(value.split())
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "cpu": model,
        "instructions": [name for name in _INSTRUCTIONS if name in flags],
        "cores": cores,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "gpu": gpu_name(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }
