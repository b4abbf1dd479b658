"""Test sets: which there are, their manifests, fetching."""
