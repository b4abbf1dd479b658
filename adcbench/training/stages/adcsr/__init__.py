"""AdcSR's stages, and the mini scale's that make its teacher."""
