"""Noise of a diffusion policy, and the way back: DDIM in NumPy, for the robot, where there is no torch.

`diffusers` adds the noise in training (`DDPMScheduler`); what removes it here equals its `DDIMScheduler`
without added noise (eta 0), which a test compares step by step. Sources: Ho et al. 2020 (DDPM), Nichol and
Dhariwal 2021 (the cosine schedule of the noise), Song et al. 2021 (DDIM), Lin et al. 2024 (trailing steps,
so that the first step is the one of pure noise).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from theia_core.errors import TheiaError

PREDICTIONS = ("epsilon", "sample", "v_prediction")
_LARGEST_BETA = 0.999
_SPACING = "trailing"
Denoiser = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class NoiseSchedule:
    """How noise grows over the training steps, and what a denoiser says of a noisy chunk.

    Attributes:
        training_steps: number of noise levels.
        prediction: "epsilon" (the noise), "sample" (the chunk without it) or "v_prediction" (a mix of both).
        clip: estimates of the noiseless chunk are cut off at plus and minus this, in normalised actions.
    """

    training_steps: int = 100
    prediction: str = "sample"
    clip: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a schedule that cannot be.

        Raises:
            TheiaError: saying what is wrong.
        """
        if self.training_steps < 1:
            raise TheiaError(f"{self.training_steps} training steps of the noise; give at least 1")
        if self.prediction not in PREDICTIONS:
            raise TheiaError(f"unknown prediction {self.prediction!r}; choose {', '.join(PREDICTIONS)}")
        if not self.clip > 0:
            raise TheiaError(f"noise.clip is {self.clip}; give a value above 0")

    def check_steps(self, inference_steps: int) -> None:
        """Refuse a number of denoising steps that the schedule does not have.

        Raises:
            TheiaError: if there are fewer than one, or more than in training.
        """
        if not 1 <= inference_steps <= self.training_steps:
            raise TheiaError(
                f"{inference_steps} denoising steps are not possible: the policy was trained with "
                f"{self.training_steps} noise levels; give 1 to {self.training_steps}"
            )

    @cached_property
    def kept(self) -> np.ndarray:
        """(training_steps,) float32, the share of the signal's variance that is left at each noise level."""
        levels = np.arange(self.training_steps + 1) / self.training_steps
        kept = [math.cos((level + 0.008) / 1.008 * math.pi / 2) ** 2 for level in levels]
        betas = [min(1 - after / before, _LARGEST_BETA) for before, after in pairwise(kept)]
        return np.asarray(np.cumprod(1 - np.array(betas, np.float32), dtype=np.float32))

    def timesteps(self, inference_steps: int) -> np.ndarray:
        """Noise levels (inference_steps,) that denoising visits, from pure noise down.

        Raises:
            TheiaError: as `check_steps`.
        """
        self.check_steps(inference_steps)
        return np.round(np.linspace(self.training_steps, 0, inference_steps, endpoint=False)).astype(int) - 1

    def scheduler_options(self) -> dict[str, Any]:
        """Arguments with which the schedulers of `diffusers` are this schedule."""
        return {
            "num_train_timesteps": self.training_steps,
            "beta_schedule": "squaredcos_cap_v2",
            "prediction_type": self.prediction,
            "clip_sample": True,
            "clip_sample_range": self.clip,
            "timestep_spacing": _SPACING,
        }

    def denoise(self, denoiser: Denoiser, noise: np.ndarray, inference_steps: int) -> np.ndarray:
        """Turn noise into a chunk of normalised actions.

        Args:
            denoiser: what a noisy chunk and its noise level (an index of `kept`) say, as `prediction`.
            noise: standard normal numbers, of the chunk's shape, float32.
            inference_steps: denoising steps.

        Returns:
            The chunk, float32, within plus and minus `clip` after the last step.

        Raises:
            TheiaError: as `check_steps`.
        """
        stride = self.training_steps // inference_steps if inference_steps > 0 else 0
        noisy = noise
        for level in self.timesteps(inference_steps):
            before = self.kept[level - stride] if level >= stride else np.float32(1)
            noisy = self._step(denoiser(noisy, int(level)), noisy, self.kept[level], before)
        return noisy

    def _step(self, said: np.ndarray, noisy: np.ndarray, kept: np.float32, before: np.float32) -> np.ndarray:
        """One step of DDIM from a level that keeps `kept` of the signal to one that keeps `before`."""
        signal, blur = np.sqrt(kept), np.sqrt(1 - kept)
        if self.prediction == "epsilon":
            clean, noise = (noisy - blur * said) / signal, said
        elif self.prediction == "sample":
            clean, noise = said, (noisy - signal * said) / blur
        else:
            clean, noise = signal * noisy - blur * said, signal * said + blur * noisy
        return np.sqrt(before) * np.clip(clean, -self.clip, self.clip) + np.sqrt(1 - before) * noise
