"""Public schemas, a file each: its ``FORMAT`` (``report.export.Format``). What is exported is decided in ``export``."""
