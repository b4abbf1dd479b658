"""A table as data, the kinds of jobs that fill its cells, and the files under ``reproductions/``."""
