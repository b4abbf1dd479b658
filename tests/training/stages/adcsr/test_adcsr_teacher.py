"""The teacher as OSEDiff trains it by default."""

from __future__ import annotations

import gzip
import json

from mini_stages import GOLDEN

from adcbench.training.stages.adcsr.teacher import FULL as FULL_TEACHER


def test_the_teacher_is_trained_as_osediff_is_by_default() -> None:
    published = json.loads(gzip.decompress((GOLDEN / "teacher.json.gz").read_bytes()))["published"]
    stage, loop = FULL_TEACHER.stage, FULL_TEACHER.loop
    assert published["lr_scheduler"] == "constant"  # so its lr_warmup_steps count for nothing
    assert [stage.rates.at(step) for step in (0, 50_000)] == [published["learning_rate"]] * 2
    assert (stage.l2, stage.perceptual, stage.vsd) == tuple(published[f"lambda_{k}"] for k in ("l2", "lpips", "vsd"))
    assert (stage.guidance, stage.weight_decay) == (published["cfg_vsd"], published["adam_weight_decay"])
    assert (loop.clip_norm, loop.steps) == (published["max_grad_norm"], published["max_train_steps"])
    assert loop.batch == published["train_batch_size"] * published["gradient_accumulation_steps"]
    assert (stage.osediff.rank, FULL_TEACHER.data.crop) == (published["lora_rank"], published["resolution"])
    assert (stage.lora, stage.clip, FULL_TEACHER.data.degradation) == (True, "hard", "hard")
