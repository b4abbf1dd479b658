"""Training: the stages (a file each), the loop that runs them, and their settings."""
