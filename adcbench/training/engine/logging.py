"""What a training run writes down: CSV logs, TensorBoard events, a progress bar, pictures."""

from __future__ import annotations

import csv
import io
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import read_text, write_errors, write_whole
from adcbench.data.media.images import write_png

_SHEET_ROWS = 6
_REMEDY = "restore it, or take it away: the run then goes on without its earlier rows"


class CsvLog:
    """A CSV file that grows by rows, the first column being the step; a resumed run cuts off what it will repeat.

    A column that begins later is empty in the rows before it.
    """

    def __init__(self, path: Path, last_step: int) -> None:
        """Keep the rows up to ``last_step``, whole ones only. Raises AdcbenchError: the file is damaged."""
        self._path, self._columns = path, ()  # type: tuple[Path, tuple[str, ...]]
        rows = _rows(path)
        try:
            kept = [rows[0], *(row for row in rows[1:] if int(row[0]) <= last_step)] if rows else []
        except (ValueError, IndexError) as error:
            raise _damaged(path, f"a row does not begin with its step: {error}") from error
        if len(kept) > 1:
            self._columns = tuple(kept[0])
        write_whole(path, _csv(kept if self._columns else []).encode())
        self._file: IO[str] = path.open("a", encoding="utf-8", newline="")

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row; one with new columns has the file written again, in its order.

        Raises:
            AdcbenchError: it can't be written.
        """
        with write_errors(self._path):
            if not set(row) <= set(self._columns):
                self._widen(tuple(dict.fromkeys((*row, *self._columns))))
            self._file.write(_csv([[str(row.get(name, "")) for name in self._columns]]))
            self._file.flush()

    def _widen(self, columns: tuple[str, ...]) -> None:
        self._file.close()
        rows = [dict(zip(self._columns, row, strict=True)) for row in _rows(self._path)[1:]]
        write_whole(self._path, _csv([columns, *([row.get(name, "") for name in columns] for row in rows)]).encode())
        self._file, self._columns = self._path.open("a", encoding="utf-8", newline=""), columns

    def flush(self) -> None:
        """Have the disk itself hold all rows."""
        with write_errors(self._path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """No more rows. What a full disk refused was said before, and is not said again."""
        with suppress(OSError):
            self._file.close()


class RunLog:
    """What the first process writes down: ``log.csv``, ``validation.csv``, ``tensorboard/``, ``validation/*.png``.

    A row of the log holds the means since the row before. Rows are the same after a resume, but for the last
    column, images per second.

    Args:
        folder: the run's.
        step: steps done when this process starts.
        steps, batch, every: as in ``LoopConfig``.
        events: whether to write TensorBoard's files.
    """

    def __init__(self, folder: Path, step: int, steps: int, batch: int, every: int, events: bool) -> None:
        self._folder, self._batch, self._every = folder, batch, every
        self._log, self._scores = CsvLog(folder / "log.csv", step), CsvLog(folder / "validation.csv", step)
        self._events = _event_writer(folder / "tensorboard", step) if events else None
        quiet = not sys.stderr.isatty()
        self._bar = tqdm(total=steps, initial=step, unit="step", file=sys.stderr, mininterval=30 if quiet else 0.5)
        self._sums: dict[str, tuple[float, int]] = {}  # of the row under way: sums, and of how many steps
        self._since, self._images = time.monotonic(), 0

    def state(self) -> dict[str, Any]:
        """The row under way, for ``restore``."""
        return {"sums": self._sums}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with another log's row."""
        self._sums = {name: (total, steps) for name, (total, steps) in state["sums"].items()}

    def step(self, step: int, values: Mapping[str, float], rates: Mapping[str, float]) -> None:
        """Take in a step: losses and norms, which are averaged, and learning rates, which are not.

        Raises:
            AdcbenchError: the log can't be written.
        """
        for name, value in values.items():
            total, steps = self._sums.get(name, (0.0, 0))
            self._sums[name] = total + value, steps + 1
        self._images += self._batch
        if step % self._every == 0:
            means = {name: total / steps for name, (total, steps) in self._sums.items()}
            speed = self._images / max(time.monotonic() - self._since, 1e-9)
            self._log.add({"step": step, **means, **rates, "images_per_second": f"{speed:.4g}"})
            self._event(step, {**means, **rates, "images_per_second": speed})
            losses = {name: f"{value:.4g}" for name, value in means.items() if "." not in name}
            self._bar.set_postfix({**losses, "images/s": f"{speed:.1f}"}, refresh=False)
            self._sums = {}
            self._since, self._images = time.monotonic(), 0
        self._bar.update()

    def validation(self, step: int, scores: Mapping[str, float], sheet: np.ndarray) -> None:
        """Write the mean scores of a validation and a sheet of its images (h, w, 3) uint8.

        Raises:
            AdcbenchError: they can't be written.
        """
        self._scores.add({"step": step, **scores})
        self._event(step, {f"validation.{name}": score for name, score in scores.items()})
        write_png(self._folder / "validation" / f"step_{step:08d}.png", sheet)
        self._since, self._images = time.monotonic(), 0  # the speed is that of training

    def flush(self) -> None:
        """Have the disk itself hold the logs: a checkpoint is about to say that these steps are done."""
        self._log.flush()
        self._scores.flush()

    def close(self) -> None:
        """The run ends, or stops."""
        for part in (self._log, self._scores, self._bar, *([self._events] if self._events else [])):
            part.close()

    def _event(self, step: int, values: Mapping[str, float]) -> None:
        if self._events:
            with write_errors(self._folder / "tensorboard"):
                for name, value in values.items():
                    self._events.add_scalar(name.replace(".", "/"), value, step)


def seconds_logged(folder: Path, batch: int) -> float:
    """Seconds that the steps of a run took by its log, in all its parts if it was resumed; validation does not count.

    Args:
        folder: the run's, with ``log.csv``.
        batch: images of a step.

    Raises:
        AdcbenchError: the log is damaged.
    """
    path = folder / "log.csv"
    rows = _rows(path)
    if not rows:
        return 0.0
    header, *rows = rows
    try:
        speed, steps = header.index("images_per_second"), np.diff([0, *(int(row[0]) for row in rows)])
        return float(sum(batch * n / float(row[speed]) for n, row in zip(steps, rows, strict=True)))
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise _damaged(path, str(error)) from error


def sheet(lr: Tensor, output: Tensor, hr: Tensor) -> np.ndarray:
    """Rows of LR enlarged by repeated pixels | output | HR, six images or frames at most.

    (B, [T,] 3, ...) in [0, 1] -> (h, w, 3) uint8.
    """
    shown = [images.flatten(0, -4)[:_SHEET_ROWS].float() for images in (lr, output, hr)]
    enlarged = torch.nn.functional.interpolate(shown[0], size=hr.shape[-2:], mode="nearest")
    columns = [enlarged, *shown[1:]]
    rows = torch.cat([column.cpu() for column in columns], dim=3)  # (B, 3, H, 3W)
    pixels = rows.clamp(0, 1).mul(255).round().byte()
    return pixels.permute(0, 2, 3, 1).reshape(-1, rows.shape[3], 3).numpy()


def _rows(path: Path) -> list[list[str]]:
    """The whole rows of a CSV file: a killed process may have left part of one."""
    if not path.is_file():
        return []
    try:
        text = read_text(path)
        rows = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
    except csv.Error as error:
        raise _damaged(path, str(error)) from error
    except AdcbenchError as error:
        raise AdcbenchError(f"{error}; {_REMEDY}") from error
    return [row for row in rows if len(row) == len(rows[0])]


def _damaged(path: Path, why: str) -> AdcbenchError:
    return AdcbenchError(f"{path}: damaged ({why}); {_REMEDY}")


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _event_writer(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise Blocked("training's event files need the library tensorboard", "pip install 'adcbench[train]'") from error
    try:
        return SummaryWriter(str(folder), purge_step=step + 1)  # type: ignore[no-untyped-call]
    except UnicodeEncodeError as error:
        raise AdcbenchError(
            f"{str(folder)!a}: TensorBoard can't write to a folder whose name is not UTF-8; name another, or --set "
            "loop.tensorboard=false"
        ) from error
