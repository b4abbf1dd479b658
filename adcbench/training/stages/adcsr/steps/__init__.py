"""What AdcSR's stages do in a step, and what they start from: torch, which the specs do without."""
