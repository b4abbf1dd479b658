"""Which files a table, a system or a metric needs."""

from __future__ import annotations

import pytest
from webserver import Web, web  # noqa: F401  (a fixture)

from adcbench.core.errors import AdcbenchError
from adcbench.workflows import catalogue


def test_the_table_s_systems_are_those_it_runs_or_times() -> None:
    assert {"adcsr", "osediff", "bicubic"} <= set(catalogue.users_of_table("adcsr/table1"))
    with pytest.raises(AdcbenchError, match="unknown table"):
        catalogue.users_of_table("adcsr/table99")


def test_metrics_are_in_the_catalogue_and_share_their_backbone() -> None:
    entries = catalogue.entries(catalogue.chosen((), metrics=True))
    users = {entry.file.name: entry.users for entry in entries}
    assert set(users["vgg16-397923af.pth"]) == {"lpips-vgg", "dists"}
    assert {"fid", "niqe", "musiq", "maniqa-pipal", "clipiqa", "dover", "raft"} <= {
        user for names in users.values() for user in names
    }
    assert not any(":" in user for names in users.values() for user in names)


def test_a_table_s_metrics_are_fetched_with_its_systems() -> None:
    assert {"adcsr", "lpips", "maniqa-pipal", "fid"} <= set(catalogue.users_of_table("adcsr/table1"))


def test_columns_that_no_job_fills_want_their_metrics_and_the_flows_of_these() -> None:
    """A user's outputs are scored there; E_warp's flow has a file of its own."""
    assert {"clipiqa", "raft"} <= {one.name for one in catalogue.chosen((), "adcvsr/table3")}
    assert [one.name for one in catalogue.chosen(("ewarp:EVALCRAFTER",))] == ["raft"]
    assert catalogue.chosen((), "adcsr/table_c3") == []
