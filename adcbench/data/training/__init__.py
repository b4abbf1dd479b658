"""Training data: image sources with random access, and the crops drawn from them (docs/training_data.md)."""
