"""The official files of ResShift and SinSR: state dicts of upstream's classes, U-Net and autoencoder apart.

Both U-Net files have the names of one class; the autoencoder's file is one for both systems. The U-Net's files
also carry constants (which bias belongs to which pair of tokens, masks of shifted windows), made anew here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from adcbench.systems.checkpoints.converted import converted
from adcbench.systems.checkpoints.library_files import check_present
from adcbench.systems.checkpoints.weights import drop_prefix, load_strict
from adcbench.systems.resshift import SINSR_FILE, UNET_FILE, VQ_FILE

if TYPE_CHECKING:
    from adcbench.systems.resshift.network import ResShift

_CONSTANTS = (".relative_position_index", ".attn_mask")
_NAMES = (
    (r"^out\.0\.", "norm_out."),
    (r"^out\.2\.", "conv_out."),
    (r"\.in_layers\.0\.", ".norm_in."),
    (r"\.in_layers\.2\.", ".conv_in."),
    (r"\.emb_layers\.1\.", ".time."),
    (r"\.out_layers\.0\.", ".norm_out."),
    (r"\.out_layers\.3\.", ".conv_out."),
    (r"\.skip_connection\.", ".skip."),
    (r"\.patch_embed\.proj\.", ".embed."),
    (r"\.patch_unembed\.proj\.", ".unembed."),
    (r"\.op\.", ".conv."),
    (r"\.nin_shortcut\.", ".conv_shortcut."),
)


def canonical(name: str) -> str:
    """Our name of one of upstream's tensors, of the U-Net or of the autoencoder."""
    for theirs, ours in _NAMES:
        name = re.sub(theirs, ours, name)
    return name


def load_official(network: ResShift, weights: Mapping[str, Path]) -> None:
    """Fill a network, built on the meta device.

    Args:
        weights: paths by the names of ``resshift.system().files`` or ``resshift.sinsr_system().files``.

    Raises:
        AdcbenchError: a file that is absent, unsafe, damaged, or holds something else.
    """
    one_step = network.config.one_step
    unet = SINSR_FILE if one_step else UNET_FILE
    check_present(weights, (unet, VQ_FILE), network.config.title, "sinsr" if one_step else "resshift")
    load_strict(network.unet, _read(weights[unet]), str(weights[unet]))
    load_strict(network.vq, _read(weights[VQ_FILE]), str(weights[VQ_FILE]))


def _read(path: Path) -> dict[str, Tensor]:
    """A file's tensors under our names, without what training in parallel or compiled put before them."""
    tensors = drop_prefix(drop_prefix(converted(path), "module."), "_orig_mod.")
    return {canonical(name): tensor for name, tensor in tensors.items() if not name.endswith(_CONSTANTS)}
