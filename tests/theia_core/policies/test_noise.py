"""Denoising in NumPy is the DDIM of diffusers, and refuses steps that it does not have."""

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.policies.config import DiffusionConfig
from theia_core.policies.noise import PREDICTIONS, NoiseSchedule

SHAPE = (1, 4, 10)


@pytest.fixture(scope="module")
def schedulers():
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

    return DDIMScheduler, DDPMScheduler


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("steps", [1, 7, 10, 100])
def test_every_step_equals_that_of_diffusers(schedulers, prediction, steps):
    import torch

    schedule = NoiseSchedule(100, prediction)
    scheduler = schedulers[0](**schedule.scheduler_options())
    scheduler.set_timesteps(steps)
    assert schedule.timesteps(steps).tolist() == scheduler.timesteps.tolist()
    random = np.random.default_rng(3)
    noise = random.standard_normal(SHAPE, np.float32)
    states = [torch.from_numpy(noise)]

    def denoiser(noisy, level):
        # What comes in is what diffusers has come to; it takes its own next step on the same answer.
        np.testing.assert_allclose(noisy, states[-1].numpy(), rtol=0, atol=1e-5)
        said = (np.tanh(noisy) * 0.9 + 0.1 * np.sin(level)).astype(np.float32)
        states.append(scheduler.step(torch.from_numpy(said), level, states[-1]).prev_sample)
        return said

    result = schedule.denoise(denoiser, noise, steps)
    assert len(states) == steps + 1
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, states[-1].numpy(), rtol=0, atol=1e-5)


def test_the_noise_of_training_is_the_same_schedule(schedulers):
    schedule = NoiseSchedule(50)
    scheduler = schedulers[1](**schedule.scheduler_options())
    np.testing.assert_allclose(schedule.kept, scheduler.alphas_cumprod.numpy(), rtol=0, atol=1e-6)
    assert schedule.kept[0] > 0.99 and schedule.kept[-1] < 1e-5


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("steps", [5, 10, 100])
def test_a_denoiser_that_knows_the_chunk_gives_it_back(prediction, steps):
    schedule = NoiseSchedule(100, prediction)
    chunk = np.random.default_rng(0).uniform(-0.9, 0.9, SHAPE).astype(np.float32)

    def denoiser(noisy, level):
        signal, blur = np.sqrt(schedule.kept[level]), np.sqrt(1 - schedule.kept[level])
        noise = (noisy - signal * chunk) / blur
        return {"sample": chunk, "epsilon": noise, "v_prediction": signal * noise - blur * chunk}[prediction]

    noise = np.random.default_rng(1).standard_normal(SHAPE, np.float32)
    np.testing.assert_allclose(schedule.denoise(denoiser, noise, steps), chunk, atol=2e-3)


@pytest.mark.parametrize("steps", [0, -1, 101])
def test_more_steps_than_in_training_or_none_are_refused(steps):
    with pytest.raises(TheiaError, match=rf"{steps} denoising steps are not possible.* give 1 to 100"):
        NoiseSchedule(100).denoise(lambda noisy, level: noisy, np.zeros(SHAPE, np.float32), steps)
    with pytest.raises(TheiaError, match="denoising steps are not possible"):
        DiffusionConfig((14, 14), 8, inference_steps=steps)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"base": (1, 2)}, "must name 10 places"),
        ({"base": (17,) * 10}, "must name 10 places"),
        ({"base": (0,) * 10, "noise": NoiseSchedule(prediction="epsilon")}, "predicts epsilon"),
    ],
)
def test_a_base_that_does_not_fit_is_refused(values, complaint):
    with pytest.raises(TheiaError, match=complaint):
        DiffusionConfig((14, 14), 8, **values)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [({"training_steps": 0}, "0 training"), ({"prediction": "x"}, "'x'"), ({"clip": 0.0}, "clip is 0")],
)
def test_a_schedule_that_cannot_be_is_refused(values, complaint):
    with pytest.raises(TheiaError, match=complaint):
        NoiseSchedule(**values)
