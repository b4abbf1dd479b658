"""What upscales: the contract, the finder, and a file or folder for each system; ``layers`` is what they share.

A module of this folder names its systems itself, in ``SYSTEMS`` (see ``registry``): a new one is a file more.
"""

from __future__ import annotations

from adcbench.systems.registry import find_system, system_names

__all__ = ["find_system", "system_names"]
