"""Commands about video clips: score-video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from adcbench.cli.options import device_option
from adcbench.cli.scoring import score_samples

if TYPE_CHECKING:
    from adcbench.metrics.engine.over_frames import Over

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("score-video")
@click.option("--sr", required=True, type=click.Path(path_type=Path),
              help="Folder of super-resolved clips: folders of PNG frames, or lossless video files.")  # fmt: skip
@click.option("--hr", type=click.Path(path_type=Path), help="Folder of HR clips with the same names.")
@click.option("--metrics", default="psnr,ssim,ewarp", show_default=True,
              help="Comma-separated names: metrics of clips (ewarp, tof, dover and others), or of images, "
                   "averaged over frames.")  # fmt: skip
@click.option("--frames", type=click.IntRange(0), default=0, show_default="all", help="Only the first so many frames.")
@click.option("--centre-crop", "crop", type=click.IntRange(0), default=0, show_default="none",
              help="Side in pixels of a central crop.")  # fmt: skip
@click.option("--border", type=click.IntRange(0), default=0, show_default="none",
              help="Pixels left out on each side.")  # fmt: skip
@click.option("--multiple", type=click.IntRange(0), default=0, show_default="none",
              help="Cut each side, around its centre, to a multiple of so many pixels.")  # fmt: skip
@click.option("--cut-ends", "ends", type=click.IntRange(0), default=0, show_default="none",
              help="Frames left out at each end.")  # fmt: skip
@click.option("--mean-over", "over", type=click.Choice(["clips", "frames"]), default="clips", show_default=True,
              help="Mean over clips, or over the frames of all clips, where a long clip counts more.")  # fmt: skip
@click.option("--flow", default="", help="Optical flow of ewarp and flow-accuracy: dis, farneback, raft, raft-small. "
              "[default: dis; raft for ewarp:EVALCRAFTER]")  # fmt: skip
@click.option("--allow-lossy", is_flag=True, help="Score clips that may not be lossless, with a mark in every row.")
@device_option()
@click.option("--out", type=_FILE, help="CSV to write: image,metric,score, with the clip in the place of the image.")
@click.option("--frame-scores", type=_FILE, help="CSV of every frame to write: clip,frame,metric,score.")
@click.option("--no-store", is_flag=True, help="Neither read nor keep scores in the store.")
def score_video(
    sr: Path, hr: Path | None, metrics: str, frames: int, crop: int, border: int, multiple: int, ends: int, over: Over,
    flow: str, allow_lossy: bool, device: str, out: Path | None, frame_scores: Path | None, no_store: bool,
) -> None:  # fmt: skip
    """Score clips against HR, joined by name; prints means over clips with 95 % intervals.

    Metrics of images are averaged over frames, then over clips. Without --hr a warping error finds its flow on the
    output, and its signature says so. Clips that can't be scored are listed, with exit code 1; metrics whose files
    are missing here are said first and listed at the end, with exit code 2, and the others are scored.

    AdcVSR's protocol: --frames 25 --centre-crop 512. BasicSR's for DUF: --border 8.
    """
    from adcbench.data.media import Part, pair
    from adcbench.metrics import find_metrics

    score_samples(
        lambda: pair(sr, hr, frames=True), find_metrics(metrics, reference=hr is not None, flow=flow),
        part=Part(frames, crop, border, multiple, ends), over=over, lossy_ok=allow_lossy, device=device, out=out,
        frame_scores=frame_scores, no_store=no_store,
    )  # fmt: skip


COMMANDS = (score_video,)
