"""Pictures of how well screws are found in two radiographs, and what makes it hard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.errors import InputError
from spinescrew.evaluation.pose import PoseFigures
from spinescrew.evaluation.pose_score import AS_GIVEN
from spinescrew.geometry.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    Parts = Callable[[PoseFigures], dict[tuple[float, float], PoseFigures]]

_SIZE_INCHES, _DPI = (4.4, 3.5), 150
_COLOURS = ("#0072B2", "#D55E00", "#3c8d5a", "#882255")
_LINES = ("-", "--", ":", "-.")
_MARKS = "osD^"
_MEASURES = {"mid_mm": "error at mid-shaft (mm)", "angle_deg": "error of the axis (°)"}
_NARROW_DEG = 40.0


def write_pose_figure(path: str | Path, figures: PoseFigures) -> Path:
    """Mean errors against the angle between the views, the number of screws and the noise, as a PNG file.

    A colour for each style, a kind of line for each error of the calibration; bars are 95 % intervals.

    Raises
    ------
    InputError
        If no screw was put together right, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    if not figures.right:
        raise InputError("no screw was found whose true place is known; there is nothing to draw")
    columns: tuple[tuple[str, str, Parts], ...] = (
        ("between_deg", "angle between the views (°)", PoseFigures.by_angle),
        ("screws", "screws in view", _by_each_count),
        ("noise", "noise over contrast of the screws", PoseFigures.by_noise),
    )
    width, height = _SIZE_INCHES
    figure = Figure(figsize=(width * 3, height * 2), dpi=_DPI, facecolor="white", layout="constrained")
    for number, (name, label) in enumerate(_MEASURES.items()):
        for column, (field, words, parts) in enumerate(columns):
            axes = figure.add_subplot(2, 3, 3 * number + column + 1)
            _draw(axes, figures if field == "between_deg" else figures.usual(), name, field, parts)
            axes.set(xlabel=words, ylabel=label)
            axes.set_ylim(0, None)
            if field == "between_deg":
                axes.axvspan(0, _NARROW_DEG, color="0.95", zorder=0)
                axes.set_xlim(0, 92)
    first = figure.axes[0]
    figure.legend(*first.get_legend_handles_labels(), frameon=False, fontsize=8, loc="outside upper center", ncols=4)
    path = Path(path)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
    return path


def kind_words(error: tuple[float, float]) -> str:
    """An error of the calibration in words."""
    degrees, mm = error
    if error == AS_GIVEN:
        return "calibration as given"
    return f"calibration wrong by {degrees:g}°, {mm:g} mm" if degrees or mm else "true calibration"


def _draw(axes: Axes, figures: PoseFigures, name: str, field: str, parts: Parts) -> None:
    axes.grid(True, color="0.93", lw=0.6)
    axes.set_axisbelow(True)
    for n, (style, own) in enumerate(figures.by_style().items()):
        for k, (error, part) in enumerate(own.by_error().items()):
            bands = [each for each in parts(part).values() if each.right]
            if not bands:
                continue
            places = [float(np.median([getattr(score, field) for score in each.right])) for each in bands]
            means = [each.mean(name) for each in bands]
            values = np.array([mean.value for mean in means])
            bars = np.maximum([values - [mean.low for mean in means], [mean.high for mean in means] - values], 0.0)
            look: dict[str, Any] = {"color": _COLOURS[n % 4], "ls": _LINES[k % 4], "marker": _MARKS[n % 4], "ms": 4.0}
            axes.errorbar(
                places, values, bars, capsize=2, elinewidth=0.8, label=f"{style}, {kind_words(error)}", **look
            )
    if field == "noise":
        axes.set_xscale("log")


def _by_each_count(figures: PoseFigures) -> dict[tuple[float, float], PoseFigures]:
    counts = sorted({score.screws for score in figures.screws})
    return figures.by_count([*(float(count) for count in counts), float("inf")])
