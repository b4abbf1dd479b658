"""Metrics of an image, a file each."""
