"""The U-Net's layer kinds: what it is made of shows in names and in what it reads (parity: ``test_unet_parity``)."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from adcbench.systems.layers.blocks import ResBlock, TransformerBlock
from adcbench.systems.layers.checkpointing import checkpointed
from adcbench.systems.layers.sd21 import UNetConfig
from adcbench.systems.layers.text_transformer import TextTransformer
from adcbench.systems.layers.unet import Conditioning, LayerKinds, UNet, UNetHalf

CONFIG = UNetConfig(widths=(8, 12, 12), heads=(1, 2, 2), context=6, layers=1)
UNTIMED = LayerKinds({"attentions": TransformerBlock}, timed=False)


class Shift(nn.Module):
    """Stands for a temporal block: every frame gains what the one before it has; (B*frames, width, h, w) -> as x."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((width, 1, 1), 0.5))

    def forward(self, x: Tensor, frames: int) -> Tensor:
        clip = torch.unflatten(x, 0, (-1, frames))
        return (clip + self.scale * torch.cat([torch.zeros_like(clip[:, :1]), clip[:, :-1]], 1)).flatten(0, 1)


TEMPORAL = LayerKinds({"attentions": TransformerBlock}, timed=False, temporal=Shift)


def blocks(unet: nn.Module) -> list[str]:
    return [n for n, m in unet.named_modules() if isinstance(m, ResBlock | TransformerBlock | TextTransformer)]


def test_an_untimed_network_has_no_time_embedding() -> None:
    names = list(UNet(CONFIG, UNTIMED, width_out=5).state_dict())
    assert not any("time_emb" in name for name in names) and names[0] == "conv_in.weight"
    assert set(names) < UNet(CONFIG).state_dict().keys()


def test_untimed_and_textless_nothing_but_the_latent_is_read() -> None:
    unet = UNet(CONFIG, UNTIMED, width_out=5).requires_grad_(False)
    latent = torch.rand(2, 4, 9, 6)
    assert unet(latent, 999, None).shape == (2, 5, 9, 6)
    assert torch.equal(unet(latent, 999, None), unet(latent, 0, None))


@pytest.mark.parametrize("half", [UNetHalf, UNet])
def test_a_temporal_block_follows_each_residual_block_and_each_transformer(half: type[UNetHalf]) -> None:
    image, video = half(CONFIG, UNTIMED), half(CONFIG, TEMPORAL)
    added = [name for name, module in video.named_modules() if isinstance(module, Shift)]
    assert added == [f"{name}.temporal" for name in blocks(image)]
    assert [name for name in video.state_dict() if ".temporal." not in name] == list(image.state_dict())


def test_frames_mix_within_a_clip_and_only_then() -> None:
    video = UNet(CONFIG, TEMPORAL).requires_grad_(False)
    latent = torch.rand(2 * 3, 4, 8, 8)
    changed = latent.clone()
    changed[0] = 0
    conditioning = video.conditioning(latent, 999, None)
    assert conditioning == Conditioning(None, (None,), frames=1)
    for frames, touched in ((1, [0]), (3, [0, 1, 2]), (2, [0, 1])):
        found = [video.run(x, conditioning._replace(frames=frames)) for x in (latent, changed)]
        assert (found[0] != found[1]).flatten(1).any(1).nonzero().flatten().tolist() == touched


def test_text_and_time_are_read_between_temporal_blocks_too() -> None:
    reads = {"attentions": partial(TextTransformer, context=CONFIG.context)}
    video = UNet(CONFIG, LayerKinds(reads, temporal=Shift)).requires_grad_(False)
    latent, text = torch.rand(2, 4, 8, 8), torch.rand(2, 3, CONFIG.context)
    found = [video(latent, step, text) for step in (0, 999)] + [video(latent, 0, text + 1)]
    assert not torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_as_many_contexts_as_transformers() -> None:
    with pytest.raises(ValueError, match="zip"):
        UNet(CONFIG)(torch.rand(1, 4, 8, 8), 0, (torch.rand(1, 3, CONFIG.context),) * 2)


def test_checkpointing_leaves_temporal_blocks_their_part() -> None:
    video = UNet(CONFIG, TEMPORAL)
    latent = torch.rand(3, 4, 8, 8)
    conditioning = Conditioning(None, (None,), frames=3)
    again = checkpointed(copy.deepcopy(video))
    for network in (video, again):
        network.run(latent, conditioning).square().sum().backward()
    for one, other in zip(video.parameters(), again.parameters(), strict=True):
        assert one.grad is not None and other.grad is not None and torch.equal(one.grad, other.grad)
