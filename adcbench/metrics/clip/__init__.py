"""Metrics of a clip, a file each, and the optical flows that they use."""
