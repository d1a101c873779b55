"""Pictures of how well systems are named: confusion matrices and ROC curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spinescrew.errors import InputError
from spinescrew.evaluation.agreement import roc
from spinescrew.evaluation.brands import BrandFigures
from spinescrew.geometry.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE_INCHES, _DPI = 4.4, 150
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#7A5C00", "#882255", "#444444")
_SHADES = "Blues"


def write_brand_figure(path: str | Path, figures: BrandFigures, models: Sequence[str] = ()) -> Path:
    """Confusion matrix and ROC curves of each of some models, as one PNG file; written whole or not at all.

    Parameters
    ----------
    models:
        The last ensemble and its members when left out.

    Raises
    ------
    InputError
        If no patient with a known system was answered.
    """
    from matplotlib.figure import Figure

    if not figures.models or not any(score.brand in figures.brands for score in figures.scores):
        raise InputError("no patient whose system is known was judged; there is nothing to draw")
    chosen = list(models) or _usual(figures)
    size = (2 * 1.15 * _SIZE_INCHES, len(chosen) * _SIZE_INCHES)
    figure = Figure(figsize=size, dpi=_DPI, facecolor="white", layout="constrained")
    for row, model in enumerate(chosen):
        _draw_confusion(figure.add_subplot(len(chosen), 2, 2 * row + 1), figures, model)
        _draw_roc(figure.add_subplot(len(chosen), 2, 2 * row + 2), figures, model)
    path = Path(path)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
    return path


def _usual(figures: BrandFigures) -> list[str]:
    largest = figures.models[-1]
    return [*(name for name in largest.split("+") if name in figures.models and name != largest), largest]


def _draw_confusion(axes: Axes, figures: BrandFigures, model: str) -> None:
    """Truth in rows, answers in columns."""
    rates = figures.rates(model)
    shares = rates.confusion / np.maximum(rates.confusion.sum(axis=1, keepdims=True), 1)
    columns = [*figures.brands, "none"] if rates.confusion[:, -1].any() else list(figures.brands)
    shown = shares[:, : len(columns)]
    axes.imshow(shown, cmap=_SHADES, vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(rates.confusion[:, : len(columns)]):
        if value:
            colour = "white" if shown[row, column] > 0.5 else "black"
            axes.text(column, row, str(value), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", fontsize=8)
    axes.set_yticks(range(len(figures.brands)), figures.brands, fontsize=8)
    axes.set(xlabel="named", ylabel="true")
    words = f"{model}: accuracy {rates.accuracy.value:.3f}, kappa {rates.kappa.value:.3f}, n={rates.count}"
    axes.set_title(words, fontsize=9)


def _draw_roc(axes: Axes, figures: BrandFigures, model: str) -> None:
    """One curve for each system against the rest, and one for all in one pot."""
    truth, shares = figures.roc_rows(model)
    rates = figures.rates(model)
    axes.plot([0, 1], [0, 1], color="0.7", lw=0.8, ls="--")
    for n, brand in enumerate(figures.brands):
        if not (truth == n).any():
            continue
        alarms, hits = roc(truth == n, shares[:, n])
        label = f"{brand}, AUC {rates.by_brand[brand].auc:.3f}"
        axes.plot(alarms, hits, color=_COLOURS[n % len(_COLOURS)], lw=1.3, label=label)
    flat = np.eye(len(figures.brands), dtype=bool)[truth].ravel()
    alarms, hits = roc(flat, shares.ravel())
    axes.plot(alarms, hits, color="black", lw=1.6, ls=":", label=f"micro, AUC {rates.micro.auc:.3f}")
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_title(f"{model}: macro AUC {rates.macro_auc.value:.3f}", fontsize=9)
    axes.legend(frameon=False, loc="lower right", fontsize=7)
