"""What is true and what was said of one C2 pedicle, and tables of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.evaluation.score_table import case_name, columns_of, write_table
from spinescrew.images.rows import Row, read_rows

_NAN = float("nan")


@dataclass(frozen=True)
class PedicleScore:
    """One side of one image: what is true, and what was said; NaN, ``None`` or ``""`` where there is nothing.

    Attributes
    ----------
    feasible, true_probability, true_mpd_mm:
        The truth; ``None`` and NaN where it is not known.
    probability, low, high:
        The answer, with its interval.
    network:
        What the network says alone.
    own_width_mm, corridor_fits, corridor_margin_mm:
        What geometry says of the same image: minimum diameter; whether the best 3.5 mm corridor keeps 0.5 mm of wall,
        and how much it keeps.
    dice, wall_mm:
        The pedicle's voxels and its surface against the true ones.
    refused:
        Why nothing was said.
    """

    case: int | str
    side: Side
    feasible: bool | None
    true_probability: float = _NAN
    true_mpd_mm: float = _NAN
    probability: float = _NAN
    low: float = _NAN
    high: float = _NAN
    own_width_mm: float = _NAN
    corridor_fits: bool | None = None
    corridor_margin_mm: float = _NAN
    dice: float = _NAN
    wall_mm: float = _NAN
    slice_mm: float = _NAN
    refused: str = ""
    network: float = _NAN

    @property
    def width_mm(self) -> float:
        """True minimum diameter; the one measured where that is not known."""
        return self.own_width_mm if math.isnan(self.true_mpd_mm) else self.true_mpd_mm


def write_scores(path: str | Path, scores: Sequence[PedicleScore]) -> Path:
    """Every pedicle as a row of a CSV file; a cell is empty where there is nothing."""
    return write_table(path, PedicleScore, scores)


def read_scores(path: str | Path) -> tuple[PedicleScore, ...]:
    """What :func:`write_scores` wrote; rows from before there was a joint answer lack the network's own.

    Raises
    ------
    InputError
        Naming the file and the line that cannot be read.
    """
    return tuple(
        _score(row) for row in read_rows(path, [name for name in columns_of(PedicleScore) if name != "network"])
    )


def _score(row: Row) -> PedicleScore:
    told: dict[str, Any] = {name: row.yes(name) if row.cells[name] else None for name in ("feasible", "corridor_fits")}
    others = set(columns_of(PedicleScore)) - {"case", "side", "refused", *told}
    numbers: dict[str, Any] = {name: row.number(name) for name in others}
    return PedicleScore(
        case_name(row.text("case")),
        cast(Side, row.choice("side", SIDES)),
        refused=row.cells["refused"],
        **told,
        **numbers,
    )
