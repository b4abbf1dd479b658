"""Test sets with manifests, strict images, LR/HR pairs joined by name, fetching, the authors' logs."""
