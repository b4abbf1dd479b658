"""Metrics over a set of images."""
