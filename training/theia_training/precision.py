"""Whether arithmetic in bfloat16 is worth it on this machine."""

import torch


def bf16_complaint(device: str) -> str:
    """What is wrong with bf16 on this device: on a CPU that lacks it, it is slower than fp32; else empty."""
    if device != "cpu" or cpu_has_bf16():
        return ""
    return "precision bf16 on this CPU would be slower than fp32: it has neither avx512_bf16 nor amx_bf16"


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 itself."""
    tests = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    return any(test() for test in tests if test is not None)
