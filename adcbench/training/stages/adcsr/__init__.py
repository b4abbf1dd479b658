"""AdcSR's stages, and at the mini scale those of what it starts from; a file each."""
