"""What a command does from end to end: reproduce, compare, spread, drift."""
