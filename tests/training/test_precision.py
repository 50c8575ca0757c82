"""bfloat16 is complained about only where it is slow."""

import pytest

pytest.importorskip("torch")

from theia_training import precision


def test_only_a_cpu_that_lacks_bf16_is_complained_about(monkeypatch):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    assert precision.bf16_complaint("cpu") == precision.bf16_complaint("cuda") == ""
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: False)
    assert "slower than fp32" in precision.bf16_complaint("cpu") and precision.bf16_complaint("cuda") == ""
