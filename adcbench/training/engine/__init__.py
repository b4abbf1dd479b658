"""Training without a paper: the loop, its data, checkpoints, logs, processes."""
