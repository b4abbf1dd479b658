"""Which sizes networks can have: ranges, and what must fit each other. No torch here.

For sizes that somebody wrote down, in settings of training or in the record of a run: a network of other sizes would
end in an error of torch's, or take all memory. ``name`` is where they stand in a file of settings: "stage.student".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.layers.sd21 import LAST_STEP, TextConfig, UNetConfig, VaeConfig
from adcbench.systems.layers.tagger_files import RAM
from adcbench.systems.osediff import OSEDiffConfig

GROUPS = (32, 24, 16, 12, 8, 6, 4, 2, 1)  # of norms, ``layers.blocks.GROUPS``: of so many channels, one a group
LEVELS = 4  # resolutions of Stable Diffusion's networks, which AdcSR's are cut from
_WIDEST, _DEEPEST, _LONGEST = 8192, 64, 4096  # channels; layers of a level; tokens
_HIGHEST_RANK = 1024
_SCALE = 4  # of all super-resolution here


def check_vae(sizes: VaeConfig, name: str) -> None:
    """Refuse an autoencoder that can't be built. Raises AdcbenchError: names the size and what it may be."""
    _check_widths(f"{name}.widths", sizes.widths)
    within(f"{name}.layers", sizes.layers, 1, _DEEPEST)
    within(f"{name}.latent", sizes.latent, 1, _WIDEST)
    positive(f"{name}.scaling", sizes.scaling)


def check_unet(sizes: UNetConfig, name: str) -> None:
    """Refuse a U-Net that can't be built. Raises AdcbenchError: names the size and what it may be."""
    within(f"{name}.channels", sizes.channels, 1, _WIDEST)
    _check_widths(f"{name}.widths", sizes.widths)
    _check_heads(name, sizes.heads, "widths", sizes.widths)
    even(f"{name}.widths", sizes.widths[0])
    within(f"{name}.context", sizes.context, 1, _WIDEST)
    within(f"{name}.layers", sizes.layers, 1, _DEEPEST)


def check_pixels(name: str, widths: Sequence[int], side: int) -> None:
    """Refuse a U-Net whose coarsest features would be a single number a group: no norm can be made of it.

    Args:
        side: of what enters it, in pixels.

    Raises:
        AdcbenchError: names the width and what to change.
    """
    if side >> (len(widths) - 1) <= 1 and widths[-1] in GROUPS:
        raise AdcbenchError(
            f"{name}.{len(widths) - 1} is {widths[-1]}; with crops of this size it must be another width, of several "
            "channels a group of its norm, or data.crop twice as large"
        )


def check_text(sizes: TextConfig, name: str) -> None:
    """Refuse a text encoder that can't be built. Raises AdcbenchError: names the size and what it may be."""
    within(f"{name}.vocabulary", sizes.vocabulary, 0, 10**6)
    within(f"{name}.tokens", sizes.tokens, 1, _LONGEST)
    within(f"{name}.width", sizes.width, 1, _WIDEST)
    within(f"{name}.layers", sizes.layers, 0, _DEEPEST)
    within(f"{name}.heads", sizes.heads, 1, _WIDEST)
    if sizes.vocabulary:
        _check_heads(name, (sizes.heads,), "width", (sizes.width,))


def check_osediff(sizes: OSEDiffConfig, name: str) -> None:
    """Refuse a teacher that can't be built, or not trained with. Raises AdcbenchError: names the size."""
    base = sizes.base
    check_vae(base.vae, f"{name}.base.vae")
    check_unet(base.unet, f"{name}.base.unet")
    check_text(base.text, f"{name}.base.text")
    equal(f"{name}.base.unet.channels", base.unet.channels, base.vae.latent, "the latent of the VAE")
    equal(f"{name}.base.unet.context", base.unet.context, base.text.width, "the width of the text")
    within(f"{name}.rank", sizes.rank, 1, _HIGHEST_RANK)
    positive(f"{name}.alpha", sizes.alpha)
    within(f"{name}.step", sizes.step, 0, LAST_STEP)
    equal(f"{name}.upscale", sizes.upscale, _SCALE, "the scale of the degradation")
    if sizes.tags and not base.text.vocabulary:
        raise AdcbenchError(f"{name}.tags is true; it must be false where there is no text encoder to read the tags")
    if sizes.tagger != RAM:
        raise AdcbenchError(
            f"{name}.tagger has other sizes than the released tagger's; only of these there are weights"
        )
    for size in ("process_size", "latent_tile", "latent_overlap"):  # of inference alone
        within(f"{name}.{size}", getattr(sizes, size), 0, 10**6)


def check_student(sizes: AdcSRConfig, name: str) -> None:
    """Refuse a student that can't be built. Raises AdcbenchError: names the size and what it may be."""
    _check_widths(f"{name}.unet_widths", sizes.unet_widths)
    _check_heads(name, sizes.heads, "unet_widths", sizes.unet_widths)
    if sizes.time_embedding:
        even(f"{name}.unet_widths", sizes.unet_widths[0])
    within(f"{name}.layers", sizes.layers, 1, _DEEPEST)
    _check_widths(f"{name}.decoder_widths", sizes.decoder_widths)
    _check_widths(f"{name}.encoder_widths", sizes.encoder_widths)
    within(f"{name}.latent_width", sizes.latent_width, 1, _WIDEST)
    positive(f"{name}.latent_scaling", sizes.latent_scaling)
    within(f"{name}.tokens", sizes.tokens, 1, _LONGEST)
    within(f"{name}.context", sizes.context, 1, _WIDEST)
    equal(f"the number of {name}.decoder_widths", len(sizes.decoder_widths), LEVELS, "one a resolution")
    equal(f"{name}.unshuffle", sizes.unshuffle, 2, f"the scale of {_SCALE} with {LEVELS} resolutions")


def check_cut(student: AdcSRConfig, base: OSEDiffConfig, name: str, teacher: str) -> None:
    """Refuse a student whose U-Net (and kept encoder) can't be cut from the teacher's.

    Both have passed ``check_student`` and ``check_osediff``.

    Raises:
        AdcbenchError: names the size and what it may be.
    """
    unet, vae = base.base.unet, base.base.vae
    check_half(student, vae, name, f"{teacher}.base.vae", pruned=False)
    no_wider(f"{name}.unet_widths", student.unet_widths, f"{teacher}.base.unet.widths", unet.widths)
    within(f"{name}.layers", student.layers, 1, unet.layers)
    if student.source == "vae":
        no_wider(f"{name}.encoder_widths", student.encoder_widths, f"{teacher}.base.vae.widths", vae.widths)
        within(f"{name}.layers", student.layers, 1, vae.layers)
    if student.text != "none":
        equal(f"{name}.context", student.context, unet.context, f"{teacher}.base.unet.context")
    if student.text == "null":
        text = base.base.text
        within(f"{name}.tokens", student.tokens, 1, text.tokens if text.vocabulary else 1)


def check_half(student: AdcSRConfig, vae: VaeConfig, name: str, other: str, pruned: bool) -> None:
    """Refuse a half decoder that does not decode an autoencoder's latents, or (pruned) can't be cut from its decoder.

    Raises:
        AdcbenchError: names the size and what it may be.
    """
    equal(f"the number of {other}.widths", len(vae.widths), LEVELS, "as the half decoder has")
    equal(f"{name}.latent_width", student.latent_width, vae.latent, f"{other}.latent")
    if pruned:
        no_wider(f"{name}.decoder_widths", student.decoder_widths, f"{other}.widths", vae.widths)
        within(f"{name}.layers", student.layers, 1, vae.layers)


def within(name: str, value: int, low: int, high: int) -> None:
    """Refuse a value outside of a range, ends included. Raises AdcbenchError."""
    if not low <= value <= high:
        raise AdcbenchError(f"{name} is {_shown(value)}; it must be {low} to {high}")


def positive(name: str, value: float) -> None:
    """Refuse a number that is not finite and above 0. Raises AdcbenchError."""
    if not (math.isfinite(value) and 0 < value <= 1e6):
        raise AdcbenchError(f"{name} is {value}; it must be more than 0, and at most 1e6")


def even(name: str, value: int) -> None:
    """Refuse an odd first width: half of its channels are sines of the time step. Raises AdcbenchError."""
    if value % 2:
        raise AdcbenchError(f"{name}.0 is {value}; it must be even, half for sines of the time step, half for cosines")


def equal(name: str, value: int, wanted: int, why: str) -> None:
    """Refuse another value than the one that fits. Raises AdcbenchError."""
    if value != wanted:
        raise AdcbenchError(f"{name} is {_shown(value)}; it must be {wanted} ({why})")


def no_wider(name: str, widths: Sequence[int], other: str, most: Sequence[int]) -> None:
    """Refuse widths that can't be cut from others. Raises AdcbenchError."""
    if len(widths) != len(most) or any(width > limit for width, limit in zip(widths, most, strict=True)):
        raise AdcbenchError(
            f"{name} is {list(widths)}; it must be {len(most)} widths, none above {list(most)} of {other}"
        )


def _check_widths(name: str, widths: Sequence[int]) -> None:
    within(f"the number of {name}", len(widths), 1, LEVELS)
    for i, width in enumerate(widths):
        within(f"{name}.{i}", width, 1, _WIDEST)


def _check_heads(name: str, heads: Sequence[int], widths_name: str, widths: Sequence[int]) -> None:
    """Heads are as many as widths, and each divides its width."""
    if len(heads) != len(widths):
        raise AdcbenchError(
            f"{name}.heads is {_list(heads)}; it must be as many numbers as {name}.{widths_name} has: they are of one "
            "length"
        )
    for i, (count, width) in enumerate(zip(heads, widths, strict=True)):
        if count < 1 or width % count:
            raise AdcbenchError(
                f"{name}.heads.{i} is {_shown(count)}; it must divide its width, {width} of {name}.{widths_name}"
            )


def _list(values: Iterable[int]) -> str:
    return f"[{', '.join(map(_shown, values))}]"


def _shown(value: int) -> str:
    return str(value) if abs(value) < 10**12 else f"{value:.3g}" if abs(value) < 10**300 else "too large a number"
