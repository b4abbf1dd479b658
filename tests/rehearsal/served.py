"""Files of exactly the official formats, by their place in the catalogue: networks at mini size, metrics at their own.

Names and layouts are upstream's (``tests/golden/*``), made from lists of its names or compared with them, so that a
wrong mapping of ours is found. Values are deterministic; sizes are small where a network has small widths.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import torch
from adcsr_files import GOLDEN as ADCSR
from adcsr_files import decoder_dict, mini_network, student_dict, write_official
from backbone_files import FILE_OF, write_backbone
from bsrgan_files import checkpoint as bsrgan_checkpoint
from diffbir_files import make as diffbir
from diffbir_files import write_files as diffbir_files
from network_files import write_clip, write_inception, write_maniqa, write_musiq, write_raft
from osediff_files import GOLDEN as OSEDIFF
from osediff_files import mini_network as osediff_network
from osediff_files import official_files as osediff_files
from pasd_files import official_files as pasd_files
from ram_files import files as ram_files
from ram_files import make as tagger
from resshift_files import official_files as resshift_files
from s3diff_files import official as s3diff_content
from s3diff_files import write as s3diff_files
from safetensors import safe_open
from seesr_files import official as seesr_content
from seesr_files import save_all as seesr_files
from stablesr_files import official_files as stablesr_files
from tokenizer_files import write_tokenizer

from adcbench.metrics.networks.inception import NAME as INCEPTION
from adcbench.systems.layers.sd21 import UNET_FILE, VAE_FILE
from adcbench.systems.resshift import SINSR_FILE

Files = dict[str, Path]  # by name


def _adcsr(folder: Path) -> Files:
    """Both files; the student's names, which our network gives, are compared with the official file's."""
    network = mini_network()
    student = student_dict(network)
    _check_names("net_params_200.pkl", student, _json(ADCSR / "net_params_200.json.gz")["shapes"])
    return write_official(folder, student, decoder_dict(network))


def _osediff(folder: Path) -> Files:
    """Its four files; names, which our network gives, are compared with the official files'."""
    paths = osediff_files(osediff_network(), folder)
    official = _json(OSEDIFF / "sd21.json.gz")
    for file, part in ((UNET_FILE, "unet"), (VAE_FILE, "vae")):
        with safe_open(paths[file], "pt") as found:
            _check_names(file, found.keys(), official[part])
    return paths


def _json(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


def _check_names(file: str, ours: Iterable[str], official: Iterable[str]) -> None:
    """Raise ``ValueError`` where what would be served has names that the official file has not.

    It may have fewer: a small network has fewer layers, and no shortcut where neighbouring widths are equal.
    """
    if wrong := {*ours} - {*official}:
        raise ValueError(f"{file}: {len(wrong)} names are not those of the official file, such as {min(wrong)}")


def _backbone(network: str) -> Callable[[Path], Files]:
    return lambda folder: {FILE_OF[network]: write_backbone(folder, network, whole=True)}


def _dover(folder: Path) -> Files:
    """Read by vsreval alone, for which a stand-in runs."""
    torch.save({"stand-in": torch.zeros(1)}, folder / "DOVER.pth")
    return {"DOVER.pth": folder / "DOVER.pth"}


_MAKERS: tuple[tuple[str, Callable[[Path], Files]], ...] = (  # labels in the catalogue, and what writes those files
    ("adcsr/net_params_200.pkl adcsr/halfDecoder.ckpt", _adcsr),
    ("bsrgan/BSRGAN.pth", lambda folder: bsrgan_checkpoint(folder, "mini")),
    (
        "dape/ram_swin_large_14m.pth dape/DAPE.pth dape/ram_tag_list.txt dape/ram_tag_list_threshold.txt",
        lambda folder: ram_files("mini", folder, "vision_multi."),
    ),
    ("sd21-base/tokenizer_vocab.json sd21-base/tokenizer_merges.txt", write_tokenizer),
    (
        "osediff/osediff.pkl sd21-base/unet.safetensors sd21-base/vae.safetensors sd21-base/text_encoder.safetensors",
        _osediff,
    ),
    (
        "diffbir/v1_general.pth diffbir/general_swinir_v1.ckpt sd21-base-compvis/v2-1_512-ema-pruned.ckpt",
        lambda folder: diffbir_files(folder, quieter=diffbir.QUIETER),  # else its outputs are no images
    ),
    (
        "pasd/pasd_unet.safetensors pasd/pasd_controlnet.safetensors sd15/vae.safetensors "
        "sd15/text_encoder.safetensors",
        pasd_files,
    ),
    ("resshift/resshift_realsrx4_s15_v1.pth resshift/autoencoder_vq_f4.pth", resshift_files),
    ("sinsr/SinSR_v1.pth", lambda folder: resshift_files(folder, unet_file=SINSR_FILE)),
    (
        "s3diff/s3diff.pkl s3diff/de_net.pth sd-turbo/unet.safetensors sd-turbo/vae.safetensors "
        "sd-turbo/text_encoder.safetensors",
        lambda folder: s3diff_files(s3diff_content("mini"), folder),
    ),
    (
        "seesr/seesr_unet.safetensors seesr/seesr_controlnet.safetensors sd2-base/vae.safetensors "
        "sd2-base/text_encoder.safetensors",
        lambda folder: seesr_files(seesr_content("mini", embed=tagger.MINI.embed), folder),
    ),
    ("stablesr/stablesr_000117.ckpt stablesr/vqgan_cfw_00011.ckpt", lambda folder: stablesr_files(folder, "mini")),
    ("metrics/alexnet-owt-7be5be79.pth", _backbone("alexnet")),
    ("metrics/vgg16-397923af.pth", _backbone("vgg16")),
    (f"metrics/{INCEPTION}", lambda folder: {INCEPTION: write_inception(folder / INCEPTION)}),
    ("metrics/RN50.pt", lambda folder: {"RN50.pt": write_clip(folder)}),
    ("metrics/musiq_koniq_ckpt-e95806b9.pth", write_musiq),
    ("metrics/MANIQA_PIPAL-ae6d356b.pth", write_maniqa),
    ("metrics/raft_large_C_T_V1-22a6c225.pth", write_raft),
    ("metrics/DOVER.pth", _dover),
)


def write_contents(folder: Path, wanted: Iterable[str]) -> Files:
    """Write the files of some labels (``adcsr/halfDecoder.ckpt``), and what is made with them; path by label.

    Raises:
        KeyError: nobody makes one of them.
    """
    left, made = set(wanted), {}
    for labels, make in _MAKERS:
        targets = {label: folder / label for label in labels.split()}
        if left & targets.keys():
            made |= targets
            if not all(target.is_file() for target in targets.values()):  # a folder that was kept has them
                _write(make, targets.values())
    if left := left - made.keys():
        raise KeyError(f"nobody makes {', '.join(sorted(left))}")
    return made


def _write(make: Callable[[Path], Files], targets: Collection[Path]) -> None:
    """Make files and put each in its place."""
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=next(iter(targets)).parent) as own:
        paths = make(Path(own))
        for target in targets:
            paths[target.name].replace(target)
