"""The process that gives DOVER's and FasterVQA's raw scores."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from vsreval_fake import CLIP

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.metrics import METRICS
from adcbench.metrics.clip.vsreval_process import asking, interpreter
from adcbench.metrics.engine.scoring import score


@pytest.mark.usefixtures("fake")
def test_the_process_answers_clip_after_clip() -> None:
    with asking("dover") as ask:
        assert ask(CLIP) == ask(CLIP) == {"technical": 0.1, "aesthetic": -0.05, "vsreval": 3}
        with pytest.raises(ValueError, match="too short for me"):
            ask(CLIP[:1])
        with pytest.raises(ValueError, match="32x32"):
            ask(CLIP[:, :31])
        assert ask(CLIP)["vsreval"] == 3  # it goes on
        with pytest.raises(AdcbenchError, match="killed by signal 9"):
            ask(CLIP[:2])
    with asking("fastervqa") as ask:
        assert ask(CLIP)["raw"] == 0.2
    with pytest.raises(AdcbenchError, match="no such device"), asking("dover", "nowhere"):
        pass


def test_without_weights_or_environment_it_is_blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(Blocked, match="adcbench weights fetch dover"):
        score([("a", tmp_path, None)], [METRICS["dover"]])
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "DOVER.pth").write_bytes(b"another network")
    with pytest.raises(AdcbenchError, match="not the file"):
        score([("a", tmp_path, None)], [METRICS["dover"]])
    monkeypatch.setenv("ADCBENCH_VSREVAL_PYTHON", sys.executable)  # has no vsreval
    monkeypatch.setenv("PATH", str(tmp_path))  # and no uv
    with pytest.raises(Blocked, match=r"ADCBENCH_VSREVAL_PYTHON names.*uv run --isolated .*vsreval==0\.1\.0"):
        interpreter()
