"""Fixtures shared by all tests: the golden set, and a cache of the test's own."""

from __future__ import annotations

import atexit
import gc
import os
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import goldens
import margins
import memory
import pytest
import torch
from hypothesis import settings

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import environment, weights_dir

settings.register_profile("adcbench", deadline=None)  # a busy core is no failure
settings.load_profile("adcbench")
_CACHED = type(lru_cache(str))
MEMORY = 2e9  # bytes of its own that a process may take: two of them run on small machines
WEIGHTS = weights_dir()  # the user's, before any test has a cache of its own
THREADS = int(os.environ.get("ADCBENCH_TEST_THREADS", "1"))


@pytest.fixture(scope="session")
def drealsr_dir() -> Path:
    """The DRealSR golden set below ADCBENCH_DATA, or a skip with the reason (a failure in CI: ``goldens``)."""
    return _golden("drealsr")


@pytest.fixture(scope="session")
def realsrset_dir() -> Path:
    """The two photographs of RealSRSet with released outputs, likewise."""
    return _golden("realsrset")


def _golden(name: str) -> Path:
    folder = Path(os.environ.get("ADCBENCH_DATA", "")) / name
    if os.environ.get("ADCBENCH_DATA") and folder.is_dir():
        return folder
    pytest.skip(f"ADCBENCH_DATA has no {name} folder: run `adcbench fetch {name}` and set ADCBENCH_DATA")


@pytest.fixture(scope="session")
def fetched_weights() -> Path:
    """The folder with AlexNet and VGG16, or a skip with the reason (a failure in CI for goldens)."""
    from adcbench.metrics import METRICS

    try:
        with environment("ADCBENCH_WEIGHTS", str(WEIGHTS)):
            for name in ("lpips", "dists"):
                METRICS[name].find_weights()
    except AdcbenchError as error:
        pytest.skip(f"{error} (nox -s tests does so by itself)")
    return WEIGHTS


@pytest.fixture
def real_weights(fetched_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Metrics find AlexNet and VGG16 where nox has fetched them, though the test has a cache of its own."""
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(fetched_weights))
    return fetched_weights


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Every test starts on one thread, whatever ran before it: sums then have the same bits wherever they run."""
    torch.set_num_threads(THREADS)


@pytest.fixture(autouse=True, scope="module")
def _memory_back(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a module's networks took goes back to the system after it; freed memory stays with the process otherwise."""
    watched = memory.start_peak()
    yield
    if watched and (taken := memory.peak()) > MEMORY:
        warnings.warn(f"{request.node.name} took {taken / 1e9:.1f} GB, more than {MEMORY / 1e9:g} GB", stacklevel=1)
    for value in list(vars(request.module).values()):
        if isinstance(value, _CACHED):
            value.cache_clear()
    memory.give_back()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Libraries and tests stay to the end: no collection of garbage looks through them again, for a second each."""
    if "PYTEST_CURRENT_TEST" in os.environ:
        return (yield)  # a session within a test (tests/faults)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
        atexit.register(gc.unfreeze)  # else libraries complain of leaks


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(goldens)
    if os.environ.get("ADCBENCH_MARGINS"):
        config.pluginmanager.register(margins)
        margins.watch()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="benchmarks at the papers' sizes instead of mini")


@pytest.fixture(scope="session")
def full_size(request: pytest.FixtureRequest) -> None:
    """Skips a test of a network at the paper's size (minutes, gigabytes) unless --full asks for it."""
    if not request.config.getoption("--full"):
        pytest.skip("a network at full size: run pytest with --full")
