"""AdcVSR's student."""
