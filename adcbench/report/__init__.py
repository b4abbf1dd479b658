"""Tables as files and text: pandas, CSV, Markdown, LaTeX, and ``explain``."""
