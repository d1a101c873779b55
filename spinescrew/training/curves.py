"""The loss of a training run as a table and a picture, in its folder beside the checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TABLE, PICTURE = "loss.csv", "loss.png"

_SIZE_INCHES, _DPI = (7.0, 4.0), 150
_SHARE_OF_MEAN = 20
_MANY = 100


def write_curves(folder: Path, task_name: str, history: Sequence[tuple[int, float]], seconds: float) -> None:
    """Write ``loss.csv`` and ``loss.png`` into ``folder``, each whole or not at all; nothing without a history.

    Parameters
    ----------
    history:
        (step, mean loss of the steps since the one before).
    seconds:
        Time of training, for the title.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    if not history:
        return
    folder = Path(folder)
    with atomic_path(folder / TABLE) as table:
        table.write_text("step,loss\n" + "".join(f"{step},{loss:.6g}\n" for step, loss in history), encoding="utf-8")
    title = f"{task_name}: {history[-1][0]:,} steps, {seconds / 3600:.2f} hours"
    with atomic_path(folder / PICTURE) as picture:
        _draw(picture, title, np.array(history, float))


def moving_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Mean of ``width`` values around each; at the ends, of those that are there."""
    ones = np.ones(width)
    sums, counts = (np.convolve(each, ones, "same") for each in (values, np.ones_like(values)))
    return np.asarray(sums / counts)


def _draw(path: Path, title: str, history: NDArray[np.float64]) -> None:
    from matplotlib.figure import Figure

    steps, losses = history.T
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, facecolor="white", layout="constrained")
    axes = figure.add_subplot(title=title, xlabel="step", ylabel="loss")
    marker = "." if len(losses) < _MANY else ""
    axes.plot(steps, losses, color="0.7", lw=0.8, marker=marker, label="mean between two points")
    if len(losses) >= _SHARE_OF_MEAN:
        width = max(len(losses) // _SHARE_OF_MEAN, 3) | 1
        axes.plot(steps, moving_mean(losses, width), color="C0", lw=1.8, label=f"moving mean of {width} points")
    if losses.min() > 0:
        _log_scale(axes)
    axes.grid(True, which="both", color="0.92", lw=0.6)
    axes.legend(frameon=False)
    figure.savefig(path, format="png", metadata={"Software": None})


def _log_scale(axes: Axes) -> None:
    """Powers of ten, with plain numbers between them: losses rarely span more than one."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0), numticks=12))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
