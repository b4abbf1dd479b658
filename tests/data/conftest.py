"""Fixtures of the data tests."""

from webserver import Web, web

__all__ = ["Web", "web"]
