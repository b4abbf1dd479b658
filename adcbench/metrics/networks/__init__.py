"""Networks that several metrics share, in plain torch."""
