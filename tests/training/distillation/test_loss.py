"""Eq. 1 and its ablations against an independent derivation in float64, gradients included."""

import numpy as np
import pytest
import torch

from theia_core.errors import TheiaError
from theia_training.distillation.loss import LossConfig, distillation_loss, teacher_loss


def derived_loss_and_gradient(p, t, beta):
    """Loss of one teacher and its gradient with respect to p, written out by hand; p, t (B, N, C) float64."""
    images = len(p)
    loss, gradient = 0.0, np.zeros_like(p)
    for b in range(images):
        x, y = p[b].ravel(), t[b].ravel()
        xx, yy, xy = x @ x, y @ y, x @ y
        cosine = xy / np.sqrt(xx * yy)
        loss += beta * (1 - cosine) / images
        gradient[b] -= (
            beta / images * (y / np.sqrt(xx * yy) - xy * x / (xx**1.5 * yy**0.5)).reshape(p[b].shape)
        )
    d = p - t
    loss += (1 - beta) * np.where(np.abs(d) < 1, 0.5 * d**2, np.abs(d) - 0.5).mean()
    gradient += (1 - beta) * np.clip(d, -1, 1) / d.size
    return loss, gradient


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 1.0])
def test_loss_and_gradient_agree_with_the_derivation(beta):
    random = np.random.default_rng(3)
    p, t = 1.5 * random.standard_normal((2, 3, 7, 5))  # far enough apart for both branches of the smooth L1
    prediction = torch.tensor(p, requires_grad=True)
    # teacher_loss computes in float32: double precision would hide nothing that matters in training
    loss = teacher_loss(prediction, torch.tensor(t), LossConfig(beta=beta))
    loss.backward()
    expected, gradient = derived_loss_and_gradient(p, t, beta)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(prediction.grad.numpy(), gradient, atol=1e-7)


def test_cosine_is_one_per_image_and_not_one_per_token():
    # token norms differ, so the two definitions give different numbers
    t = torch.tensor([[[1.0, 0.0], [0.0, 10.0]]])
    p = torch.tensor([[[0.0, 1.0], [0.0, 10.0]]])
    per_image = float(teacher_loss(p, t, LossConfig(beta=1.0)))
    assert per_image == pytest.approx(1 - 100 / 101, abs=1e-6)  # per token it would be 0.5


def test_teachers_are_averaged_or_weighted():
    targets = {"a": torch.zeros(1, 2, 2), "b": torch.zeros(1, 2, 2)}
    predictions = {"a": torch.ones(1, 2, 2), "b": torch.full((1, 2, 2), 2.0)}
    mse = LossConfig("mse")
    total, parts = distillation_loss(predictions, targets, mse)
    assert {name: float(part) for name, part in parts.items()} == {"a": 1.0, "b": 4.0}
    assert float(total) == pytest.approx(2.5)
    total, _ = distillation_loss(predictions, targets, LossConfig("mse", weights={"a": 0.75, "b": 0.25}))
    assert float(total) == pytest.approx(1.75)


def test_cls_features_count_under_their_teachers_weight():
    values = {"a": torch.zeros(1, 2, 2), "a.cls": torch.zeros(1, 2)}
    predictions = {"a": torch.ones(1, 2, 2), "a.cls": torch.full((1, 2), 3.0)}
    total, parts = distillation_loss(predictions, values, LossConfig("mse", distil_cls=True))
    assert float(parts["a.cls"]) == 9.0
    assert float(total) == pytest.approx(10.0)


def test_mismatches_are_refused_by_name():
    one = {"a": torch.zeros(1, 2, 2)}
    with pytest.raises(TheiaError, match="do not match targets"):
        distillation_loss(one, {"b": torch.zeros(1, 2, 2)}, LossConfig())
    with pytest.raises(TheiaError, match="another teacher size"):
        distillation_loss(one, {"a": torch.zeros(1, 2, 3)}, LossConfig())
    with pytest.raises(TheiaError, match="weights are given for z"):
        LossConfig(weights={"z": 1.0}).alphas(("a",))
    with pytest.raises(TheiaError, match="unknown loss"):
        LossConfig("huber")
