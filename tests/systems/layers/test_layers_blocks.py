"""Blocks: how many groups a norm has."""

from __future__ import annotations

import pytest

from adcbench.systems.layers import blocks


@pytest.mark.parametrize(
    ("width", "groups"), [(240, 24), (480, 32), (720, 24), (960, 32), (1440, 32), (1920, 32), (18, 6), (7, 1)]
)
def test_groups_follow_the_published_rule(width: int, groups: int) -> None:
    assert blocks.group_count(width) == groups
