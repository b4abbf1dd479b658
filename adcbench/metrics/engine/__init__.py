"""How samples are scored: frames read once, networks in a process of their own, scores kept."""
