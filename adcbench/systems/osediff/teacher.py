"""OSEDiff as AdcSR's teacher: the features its student learns (AdcSR section 3.3; upstream train.py at d0b2871).

Features are what the frozen half decoder's first convolution and middle block make of a latent: (B, 256, H/8, W/8)
for an image of H x W pixels. Three differences from OSEDiff's own inference:

- DAPE tags the small LR, not the enlarged image, and the prompt is the tags alone;
- the enlarged image is torch's bicubic, not clamped and not rounded to 8 bits;
- the latent is the posterior's mean.

Upstream runs all of it under float16 autocast; here the caller decides. It would fail on more than 77 tokens; here
they are cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import DECODER_FILE, AdcSRConfig
from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.weights import decoder_tensors
from adcbench.systems.checkpoints.deterministic import fill_deterministic
from adcbench.systems.checkpoints.weights import fill
from adcbench.systems.layers.sd21 import TEXT_FILE, VAE_FILE, one_step
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.osediff import MERGED_FILE, OSEDiffConfig
from adcbench.systems.osediff.prompts import Prompter, load_prompter
from adcbench.systems.osediff.weights import load_merged, load_vae


class Teacher(nn.Module):
    """The frozen networks of AdcSR's training: merged OSEDiff, SD2.1's own VAE, half decoder.

    Args:
        decoder: sizes of the half decoder.
        text: LR (B, 3, h, w) in [0, 1] -> the prompts' embeddings (B, tokens, width), for teacher and discriminator.
    """

    def __init__(self, config: OSEDiffConfig, decoder: AdcSRConfig, text: Prompter) -> None:
        super().__init__()
        self.config, self.text = config, text
        with torch.device("meta"):
            self.vae, self.unet = Vae(config.base.vae), UNet(config.base.unet)
            self.base_vae = Vae(config.base.vae)
            self.decoder = HalfDecoder(decoder, latent=True)

    @torch.no_grad()
    def target(self, lr: Tensor, text: Tensor) -> Tensor:
        """What the student shall output: LR (B, 3, h, w) in [0, 1], even h and w, -> (B, 256, h/2, w/2)."""
        large = F.interpolate(lr * 2 - 1, scale_factor=self.config.upscale, mode="bicubic")
        latent = self.vae.encode(large, None)
        clean = one_step(latent, self.unet(latent, self.config.step, text), self.config.step)
        return self._features(self.vae, clean)

    @torch.no_grad()
    def real(self, hr: Tensor) -> Tensor:
        """What the discriminator takes for real: HR (B, 3, H, W) in [0, 1] -> (B, 256, H/8, W/8)."""
        return self._features(self.base_vae, self.base_vae.encode(hr * 2 - 1, None))

    def _features(self, vae: Vae, latent: Tensor) -> Tensor:
        features: Tensor = self.decoder.features(vae.post_quant_conv(latent / vae.scaling))
        return features


def load_teacher(
    config: OSEDiffConfig, decoder: AdcSRConfig, weights: Mapping[str, Path] | None, decoded: bool = True
) -> Teacher:
    """The teacher on the CPU in float32, frozen.

    Args:
        weights: paths by the names of ``osediff.teacher_files()``, and AdcSR's ``halfDecoder.ckpt``; None for
            deterministic weights.
        decoded: fill the half decoder too; false: it is left as it was made, and its file is not needed.

    Raises:
        AdcbenchError: a file that is absent, unsafe, damaged, or holds something else; the two files called
            osediff.pkl are told apart.
    """
    texts = (TEXT_FILE,) if config.base.text.vocabulary else ()
    needed = (MERGED_FILE, VAE_FILE, *texts, *([DECODER_FILE] if decoded else []))
    absent = [name for name in needed if weights is not None and name not in weights]
    if absent:
        raise AdcbenchError(f"the teacher needs {' and '.join(absent)}: fetch the files of osediff.teacher_files()")
    teacher = Teacher(config, decoder, load_prompter(config, weights))
    if weights is None:
        for part in (teacher.vae, teacher.unet, teacher.base_vae, teacher.decoder):
            fill_deterministic(part)
    else:
        load_merged(teacher.vae, teacher.unet, weights[MERGED_FILE])
        load_vae(teacher.base_vae, weights[VAE_FILE])
        if decoded:
            tensors = decoder_tensors(weights[DECODER_FILE], teacher.decoder)
            fill(teacher.decoder, {name.removeprefix("decoder."): tensor for name, tensor in tensors.items()})
    return teacher.eval().requires_grad_(False)
