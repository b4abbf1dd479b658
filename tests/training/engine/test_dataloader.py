"""Which samples a process reads: an equal, consecutive share of every step's batch, from any step on."""

from __future__ import annotations

import pytest

from adcbench.training.engine.dataloader import micro_batches
from adcbench.training.engine.loop_config import LoopConfig

CONFIG = LoopConfig(steps=3, batch=8, micro_batch=2)


def test_one_process_reads_all_samples_in_order() -> None:
    found = list(micro_batches(CONFIG, 0, 0, 1))
    assert found == [[n, n + 1] for n in range(0, 24, 2)]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_processes_share_every_step_s_batch(count: int) -> None:
    shares = [list(micro_batches(CONFIG, 0, rank, count)) for rank in range(count)]
    each = 4 // count
    for step in range(3):
        batch = [n for share in shares for micro in share[step * each : (step + 1) * each] for n in micro]
        assert batch == list(range(step * 8, step * 8 + 8))


def test_a_run_that_goes_on_reads_what_is_left() -> None:
    assert list(micro_batches(CONFIG, 2, 1, 2)) == list(micro_batches(CONFIG, 0, 1, 2))[-2:]
    assert list(micro_batches(CONFIG, 3, 0, 1)) == []
