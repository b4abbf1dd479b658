"""Building blocks that several systems share: Stable Diffusion's networks, LoRA, tagger, colour, padding, tiling."""
