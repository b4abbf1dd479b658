"""Reading checkpoints: safely, strictly, whatever wrote them; and deterministic weights in their place."""
