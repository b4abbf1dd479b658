"""From measurements to statements: intervals, verdicts, causes, claims, differences between tables."""
