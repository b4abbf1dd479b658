"""Whole experiments made of stages: ablations, the mini scale, the runs that claims are tested on."""
