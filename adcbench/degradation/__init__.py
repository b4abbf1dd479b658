"""How LR images are made from HR images."""
