"""Whole experiments made of stages: the mini scale, the runs that claims are tested on."""
