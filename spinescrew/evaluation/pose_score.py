"""What is true and what was found of one screw in two radiographs, and of the pixels of one radiograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from spinescrew.evaluation.score_table import case_name, columns_of, write_table
from spinescrew.images.rows import Row, read_rows

State = Literal["right", "wrong", "missed", "extra"]

AS_GIVEN = (-1.0, -1.0)
"""In the place of an error of the calibration that is not known."""

USUAL = "usual"
"""Views as an AP and a lateral are usually taken; pairs at chosen angles are called by them."""

STATES: tuple[State, ...] = ("right", "wrong", "missed", "extra")

_NAN = float("nan")


@dataclass(frozen=True)
class PoseScore:
    """One screw of one pair of radiographs; NaN or ``""`` where there is nothing.

    Attributes
    ----------
    case, style:
        Which pair, and how it was made (``"clean"``, ``"realistic"``, or what a folder says).
    setup:
        :data:`USUAL`, or the angle between the views that was asked for.
    error_deg, error_mm:
        By how much the calibration that was given is wrong; 0 where it is true, -1 where that is not known.
    between_deg:
        True angle between the views, 0 to 90.
    screws:
        How many the pair truly shows.
    noise:
        Noise over contrast of the screws, the worse of both images (:func:`spinescrew.evaluation.pose_pixels.noise`).
    number:
        Of the true screw, from 1; 0 for one that is none.
    state:
        ``"right"``: found, and both images' parts of it belong to it; ``"wrong"``: put together of different screws;
        ``"missed"``: a true one that was not found; ``"extra"``: one that is none.
    angle_deg, mid_mm, neck_mm, tip_mm:
        Angle between found and true axis; distances of mid-shaft, of where the shaft begins below the head, and of the
        tip. All in the frame of the first view, so that an error of both views alike does not count.
    diameter_mm, length_mm:
        Found less true.
    residual_px:
        What the pose leaves open in the images.
    spread:
        Squared error of the five degrees of freedom in the standard deviations that were told: 5 on average where these
        are honest, and below 11.07 in 95 of 100.
    seconds:
        That the pair took, the reading not counted.
    refused:
        Why nothing was found.
    """

    case: int | str
    style: str
    setup: str
    error_deg: float
    error_mm: float
    between_deg: float
    screws: int
    noise: float
    number: int
    state: State
    angle_deg: float = _NAN
    mid_mm: float = _NAN
    neck_mm: float = _NAN
    tip_mm: float = _NAN
    diameter_mm: float = _NAN
    length_mm: float = _NAN
    residual_px: float = _NAN
    spread: float = _NAN
    seconds: float = _NAN
    refused: str = ""


@dataclass(frozen=True)
class PixelScore:
    """The pixels of one radiograph: Dice, precision and recall of shafts and of heads; NaN where there are none."""

    case: int | str
    style: str
    setup: str
    between_deg: float
    view: int
    noise: float
    shaft_dice: float = _NAN
    shaft_precision: float = _NAN
    shaft_recall: float = _NAN
    head_dice: float = _NAN
    head_precision: float = _NAN
    head_recall: float = _NAN


def write_pose_scores(path: str | Path, screws: Sequence[PoseScore], pixels: Sequence[PixelScore]) -> tuple[Path, Path]:
    """Every screw as a row of a CSV file, and every radiograph as a row of one beside it, ``...-pixels.csv``."""
    path = Path(path)
    return write_table(path, PoseScore, screws), write_table(pixels_beside(path), PixelScore, pixels)


def pixels_beside(path: str | Path) -> Path:
    """Where the rows of radiographs stand, for the file of the screws' rows."""
    path = Path(path)
    return path.with_name(f"{path.stem}-pixels{path.suffix}")


def read_pose_scores(path: str | Path) -> tuple[tuple[PoseScore, ...], tuple[PixelScore, ...]]:
    """What :func:`write_pose_scores` wrote.

    Raises
    ------
    InputError
        Naming the file and the line that cannot be read.
    """
    screws = tuple(_screw(row) for row in read_rows(path, columns_of(PoseScore)))
    beside = pixels_beside(path)
    return screws, tuple(_pixels(row) for row in read_rows(beside, columns_of(PixelScore)))


def _screw(row: Row) -> PoseScore:
    whole: dict[str, Any] = {name: _whole(row, name) for name in ("screws", "number")}
    state = cast(State, row.choice("state", STATES))
    told: dict[str, Any] = {**_named(row), "refused": row.cells["refused"]}
    return PoseScore(**told, **whole, state=state, **_numbers(row, PoseScore, {*told, *whole, "state"}))


def _pixels(row: Row) -> PixelScore:
    told = {**_named(row), "view": _whole(row, "view")}
    return PixelScore(**told, **_numbers(row, PixelScore, set(told)))


def _named(row: Row) -> dict[str, Any]:
    return {"case": case_name(row.text("case")), "style": row.text("style"), "setup": row.text("setup")}


def _numbers(row: Row, kind: type, without: set[str]) -> dict[str, Any]:
    return {name: row.number(name) for name in columns_of(kind) if name not in without}


def _whole(row: Row, name: str) -> int:
    value = row.number(name)
    return int(value) if value == int(value) else row.refuse(f"'{name}' is '{row.cells[name]}'; write a whole number")
