"""Pictures of how well the feasibility of C2 pedicles was judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.errors import InputError
from spinescrew.evaluation.agreement import Bin, Share, roc
from spinescrew.evaluation.feasibility import CUT_OFF_MM, FeasibilityResult, corridor_rule, width_rule
from spinescrew.geometry.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    Draw = Callable[[Axes, FeasibilityResult], None]

CENTRES_MM = tuple(np.arange(1.5, 9.6, 0.5))

_SIZE_INCHES, _DPI = 4.6, 150
_MODEL, _TRUTH, _RULE, _CORRIDOR = "#1f5fa8", "#202020", "#c8641b", "#3c8d5a"


def write_reliability(path: str | Path, result: FeasibilityResult) -> Path:
    """The reliability diagram as a PNG file, whole or not at all."""
    return _write(path, result, [draw_reliability])


def write_roc(path: str | Path, result: FeasibilityResult) -> Path:
    """The ROC curve, with the two rules of geometry as points."""
    return _write(path, result, [draw_roc])


def write_width_curve(path: str | Path, result: FeasibilityResult) -> Path:
    """Probability against pedicle width, beside the published cut-off."""
    return _write(path, result, [draw_width_curve])


def write_figure(path: str | Path, result: FeasibilityResult) -> Path:
    """All of them and the accuracy by width, in one picture."""
    return _write(path, result, [draw_width_curve, draw_accuracy, draw_roc, draw_reliability])


def draw_reliability(axes: Axes, result: FeasibilityResult) -> None:
    """Observed share against predicted probability, with intervals."""
    axes.plot([0, 1], [0, 1], color="0.7", lw=0.8, ls="--", label="as predicted")
    told = [f"feasible: calibration error {result.ece:.3f}, Brier {result.brier:.3f}"]
    _curve(axes, result.reliability(), _MODEL, "share that is feasible")
    if placed := result.placed_reliability():
        _curve(axes, placed, _CORRIDOR, "share of placed screws in bone")
        told.append(f"placed screws: calibration error {result.placed_ece:.3f}")
    axes.text(0.97, 0.04, "\n".join(told), ha="right", fontsize=8, transform=axes.transAxes)
    _square(axes, "Calibration (groups of equal size)", "predicted probability", "observed share")
    axes.legend(frameon=False, loc="upper left", fontsize=8)


def draw_roc(axes: Axes, result: FeasibilityResult) -> None:
    """Sensitivity against false alarms of the network; geometry's rules are points."""
    alarms, hits = roc(result.truth, result.probability)
    area = result.auc
    name = f"answer, AUC {area.value:.3f} ({area.low:.3f}-{area.high:.3f})"
    axes.plot([0, 1], [0, 1], color="0.7", lw=0.8, ls="--")
    axes.plot(alarms, hits, color=_MODEL, lw=1.8, label=name)
    rates = result.rates()
    points = {
        f"answer at {result.threshold:g}": (rates, _MODEL, "o"),
        f"width above {CUT_OFF_MM} mm": (result.rates_of(width_rule()), _RULE, "s"),
        "corridor fits": (result.rates_of(corridor_rule()), _CORRIDOR, "^"),
    }
    for label, (found, colour, marker) in points.items():
        axes.plot(1 - found.specificity.value, found.sensitivity.value, marker, color=colour, label=label)
    _square(axes, "ROC curve", "1 - specificity", "sensitivity")
    axes.legend(frameon=False, loc="lower right", fontsize=8)


def draw_width_curve(axes: Axes, result: FeasibilityResult) -> None:
    """Probability and the share that is feasible, by width, with the published cut-off."""
    points = result.probability_by_width(CENTRES_MM)
    widths = [point.width_mm for point in points]
    every = [score.width_mm for score in result.judged]
    axes.scatter(every, result.probability, s=6, color=_MODEL, alpha=0.18, lw=0, label="one pedicle")
    _shares(axes, widths, [point.feasible for point in points], _TRUTH, "share that is feasible")
    axes.plot(widths, [point.probability for point in points], color=_MODEL, lw=1.8, label="mean probability")
    if not np.isnan(true := [point.true_probability for point in points]).all():
        axes.plot(widths, true, color=_CORRIDOR, lw=1.4, ls=":", label="share of placed screws in bone")
    axes.axvline(CUT_OFF_MM, color=_RULE, lw=1.2, ls="--", label=f"published cut-off {CUT_OFF_MM} mm")
    axes.set(title="Probability by width", xlabel="minimum pediculoisthmic diameter (mm)", ylabel="probability")
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlim(0, None)
    axes.legend(frameon=False, loc="lower right", fontsize=8)


def draw_accuracy(axes: Axes, result: FeasibilityResult) -> None:
    """Accuracy by band of width: the network beside the two rules of geometry."""
    bands = result.by_width()
    places = np.arange(len(bands), dtype=float)
    ways = {
        "answer": (_MODEL, lambda part: part.rates()),
        f"width above {CUT_OFF_MM} mm": (_RULE, lambda part: part.rates_of(width_rule())),
        "corridor fits": (_CORRIDOR, lambda part: part.rates_of(corridor_rule())),
    }
    for shift, (label, (colour, rates)) in zip((-0.2, 0.0, 0.2), ways.items(), strict=True):
        _shares(axes, places + shift, [rates(part).accuracy for part in bands.values()], colour, label)
    names = [f"{band_name(low, high)}\nn={len(part.judged)}" for (low, high), part in bands.items()]
    axes.set_xticks(places, names, fontsize=8)
    axes.set(title="Accuracy by width", xlabel="minimum pediculoisthmic diameter (mm)", ylabel="accuracy")
    axes.set_ylim(None, 1.02)
    axes.legend(frameon=False, loc="lower right", fontsize=8)


def band_name(low: float, high: float) -> str:
    """A band of widths: ``<3``, ``4-4.5``, ``8+``."""
    if not np.isfinite(high):
        return f"{low:g}+"
    return f"<{high:g}" if low <= 0 else f"{low:g}-{high:g}"


def _shares(axes: Axes, places: Any, shares: Sequence[Share], colour: str, label: str) -> None:
    values, low, high = np.array([(share.value, share.low, share.high) for share in shares], float).reshape(-1, 3).T
    bars = np.maximum([values - low, high - values], 0.0)
    axes.errorbar(places, values, bars, fmt="o", ms=4, color=colour, elinewidth=0.9, capsize=2, label=label)


def _curve(axes: Axes, bins: Sequence[Bin], colour: str, label: str) -> None:
    _shares(axes, [each.predicted for each in bins], [each.observed for each in bins], colour, label)


def _square(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set(title=title, xlabel=across, ylabel=up, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")


def _write(path: str | Path, result: FeasibilityResult, draws: Sequence[Draw]) -> Path:
    from matplotlib.figure import Figure

    if not result.judged:
        raise InputError("no pedicle was judged whose truth is known; there is nothing to draw")
    columns = min(len(draws), 2)
    rows = -(-len(draws) // columns)
    size = (_SIZE_INCHES * 1.15 * columns, _SIZE_INCHES * rows)
    figure = Figure(figsize=size, dpi=_DPI, facecolor="white", layout="constrained")
    for number, draw in enumerate(draws, start=1):
        axes = figure.add_subplot(rows, columns, number)
        axes.grid(True, color="0.93", lw=0.6)
        axes.set_axisbelow(True)
        draw(axes, result)
    path = Path(path)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
    return path
