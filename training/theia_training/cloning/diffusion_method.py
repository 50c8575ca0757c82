"""Diffusion policies (paper, Table 10): `diffusers` adds noise (DDPM), the network learns to remove it."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from theia_core.actions.hand_state import POSE_IN_STATE
from theia_core.actions.spaces import EE_POSE
from theia_core.policies.artefact import CONTEXT, DENOISER, DIFFUSION, WEIGHTS
from theia_core.policies.config import DiffusionConfig
from theia_core.policies.diffusion_net import DiffusionNet
from theia_core.policies.noise import NoiseSchedule
from theia_core.policies.normalisation import Scale
from theia_core.runtimes.safetensors_graph import write_graph_over_safetensors
from theia_core.tasks import Task
from theia_training.cloning.objective import mean_over_chunk
from theia_training.cloning.recipes import Recipe
from theia_training.onnx_graph import to_onnx

# Noise levels that each observation of a batch is trained at: the neck costs most, and it runs once for all.
DRAWS = 4


class DiffusionMethod:
    """Trains `diffusion` policies; see `theia_training.cloning.method.Method`."""

    kind = DIFFUSION
    suffix = "diffusion"
    loss_name = "mean square of the denoiser's error"

    def config(self, task: Task, sizes: dict[str, Any], dropout: float) -> DiffusionConfig:
        """Sizes of a new network; hand poses are learned as departures from where the hand is."""
        base = POSE_IN_STATE if (task.robot, task.action_space) == ("spot_arm", EE_POSE.name) else ()
        return DiffusionConfig(**sizes, dropout=dropout, base=base)

    def network(self, config: DiffusionConfig, tokens: Scale, joints: Scale, actions: Scale) -> DiffusionNet:
        """An untrained network."""
        return DiffusionNet(config, tokens, joints, actions)

    def loss(
        self,
        head: DiffusionNet,
        tokens: torch.Tensor,
        joints: torch.Tensor,
        targets: torch.Tensor,
        mask: torch.Tensor,
        recipe: Recipe,
    ) -> torch.Tensor:
        """Mean square error of the denoiser at `DRAWS` random noise levels of each chunk."""
        device = targets.device
        levels = torch.randint(head.config.noise.training_steps, (DRAWS * len(targets),), device=device)
        noise = torch.randn(DRAWS * len(targets), *targets.shape[1:], device=device)
        return _error(head, head.see(tokens, joints), targets, mask, levels, noise, recipe.gripper_weight)

    def judge(
        self,
        head: DiffusionNet,
        tokens: torch.Tensor,
        joints: torch.Tensor,
        targets: torch.Tensor,
        mask: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The denoiser's error at fixed noise levels, and one sampled chunk for each observation."""
        context, count = head.see(tokens, joints), len(targets)
        last = head.config.noise.training_steps - 1
        device = targets.device
        levels = torch.linspace(0, last, DRAWS).round().long().repeat_interleave(count).to(device)
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(DRAWS * count, *targets.shape[1:], generator=generator).to(device)
        error = _error(head, context, targets, mask, levels, noise, 1.0)
        return error, sample(head, context, torch.randn(targets.shape, generator=generator).to(device))

    def act(self, head: DiffusionNet, tokens: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
        """The chunk that the first noise of seed 0 becomes, for each observation."""
        shape = (1, head.config.horizon, head.config.action_dim)
        noise = torch.from_numpy(np.random.default_rng(0).standard_normal(shape, np.float32))
        chunk = sample(head, head(tokens, joints), noise.repeat(len(tokens), 1, 1))
        return chunk * head.action_std + head.action_mean

    def write_graphs(self, folder: Path, head: DiffusionNet, name: str) -> None:
        """One graph for what is seen and one for the denoiser, over the same weights."""
        config = head.config
        height, width = config.grid
        seen = (torch.zeros(2, height * width, config.channels), torch.zeros(2, config.joints))
        noisy = (
            torch.zeros(2, config.horizon, config.action_dim),
            torch.zeros(2),
            torch.zeros(2, config.width + config.joints),
        )
        weights = {key: tensor.numpy() for key, tensor in head.state_dict().items()}
        for file, graph in (
            (CONTEXT, to_onnx(head, seen, ("tokens", "joints"), "context")),
            (DENOISER, to_onnx(head.denoiser, noisy, ("noisy", "level", "context"), "said")),
        ):
            write_graph_over_safetensors(graph, folder / file, folder / WEIGHTS, {"policy": name}, weights)


def sample(head: DiffusionNet, context: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Normalised chunks (B, H, D) that noise of that shape becomes, by the DDIM of `diffusers`."""
    scheduler = DDIMScheduler(**head.config.noise.scheduler_options())
    scheduler.set_timesteps(head.config.inference_steps)
    noisy = noise
    for level in scheduler.timesteps:
        said = head.denoiser(noisy, level.float().to(noisy.device).expand(len(noisy)), context)
        noisy = scheduler.step(said, level, noisy).prev_sample
    return noisy


@lru_cache
def _ddpm(noise: NoiseSchedule) -> DDPMScheduler:
    return DDPMScheduler(**noise.scheduler_options())


def _error(
    head: DiffusionNet,
    context: torch.Tensor,
    targets: torch.Tensor,
    mask: torch.Tensor,
    levels: torch.Tensor,
    noise: torch.Tensor,
    gripper_weight: float,
) -> torch.Tensor:
    """Mean square error on chunks (B, H, D), each at as many levels as there are times B of them."""
    times = len(levels) // len(targets)
    clean = targets.repeat(times, 1, 1)
    scheduler, prediction = _ddpm(head.config.noise), head.config.noise.prediction
    noisy = scheduler.add_noise(clean, noise, levels)
    said = head.denoiser(noisy, levels.float(), context.repeat(times, 1))
    if prediction == "v_prediction":
        wanted = scheduler.get_velocity(clean, noise, levels)
    else:
        wanted = noise if prediction == "epsilon" else clean
    return mean_over_chunk((said - wanted) ** 2, mask.repeat(times, 1), gripper_weight)
