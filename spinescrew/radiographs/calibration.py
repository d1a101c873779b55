"""Calibration files: the geometry of each radiograph as JSON (``geometry.schema.json`` says what they hold)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import spinescrew
from spinescrew.errors import GeometryError, InputError
from spinescrew.geometry.atomic import atomic_path
from spinescrew.geometry.vectors import cross, unit
from spinescrew.radiographs.c_arm import from_c_arm
from spinescrew.radiographs.projection_matrix import facing, view_from_matrix
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

SCHEMA_VERSION = 1
_SCHEMA = Path(__file__).with_name("geometry.schema.json")

_ROUNDED = 1e-3
"""How far written directions may be from unit vectors at right angles."""

_LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
_SHORTEST_MM, _LONGEST_MM = 300.0, 4000.0
"""Between source and detector: a dental arm's, a full-spine film's and twice that."""


def write_geometry(path: str | Path, views: Sequence[View]) -> Path:
    """Write the views, in the order of their images, at full precision, completely or not at all.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "coordinate_system": "RAS",
        "units": {"length": "mm", "angle": "degree"},
        "software_version": spinescrew.__version__,
        "views": [_placed_record(view) for view in views],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return Path(path)


def read_geometry(path: str | Path) -> tuple[View, ...]:
    """The views of a calibration file, in its order, in RAS.

    Each is given by source and detector, by a 3x4 projection matrix, or by the angles of a C-arm; all with the steps
    between pixels at the detector and the size of the image.

    Raises
    ------
    InputError
        One line that names the file, the field that is wrong, and what to do.

    Examples
    --------
    >>> ap, lateral = read_geometry("geometry.json")  # doctest: +SKIP
    >>> ap.source_detector_mm  # doctest: +SKIP
    1020.0
    """
    path = Path(path)
    document = _loaded(path)
    _validate(path, document)
    if document["schema_version"] > SCHEMA_VERSION:
        raise InputError(
            f"{path.name}: schema_version: {document['schema_version']} is newer than this program; update"
        )
    to_ras = _LPS_TO_RAS if document["coordinate_system"] == "LPS" else np.ones(3)
    views = []
    for number, record in enumerate(document["views"]):
        try:
            views.append(_view(record, to_ras))
        except GeometryError as error:
            raise InputError(f"{path.name}: views[{number}]: {error}; correct it or export the file again") from error
        if not _SHORTEST_MM <= views[-1].source_detector_mm <= _LONGEST_MM:
            raise InputError(
                f"{path.name}: views[{number}]: the source is {views[-1].source_detector_mm:.4g} mm from the detector, "
                "as in no C-arm; check pixel_mm (at the detector) and that lengths are in mm"
            )
    return tuple(
        facing(view, views[:number] + views[number + 1 :]) if "projection" in document["views"][number] else view
        for number, view in enumerate(views)
    )


def _view(record: dict[str, Any], to_ras: Floats) -> View:
    rows, columns = record["shape"]
    if "projection" in record:
        matrix = np.array(record["projection"], dtype=np.float64) * np.append(to_ras, 1.0)
        return view_from_matrix(matrix, record["pixel_mm"], (rows, columns))
    if "c_arm" in record:
        return _c_arm_view(record, to_ras, (rows, columns))
    right, down = _at_right_angles(record["right"], record["down"])
    return View(
        to_ras * record["source"],
        to_ras * record["detector_origin"],
        to_ras * right,
        to_ras * down,
        np.array(record["pixel_mm"]),
        (rows, columns),
    )


def _c_arm_view(record: dict[str, Any], to_ras: Floats, shape: tuple[int, int]) -> View:
    values = record["c_arm"]
    across, along = record["pixel_mm"]
    if across != along:
        raise GeometryError("the pixels of a C-arm's detector are square, pixel_mm has two different steps")
    return from_c_arm(
        values["orbital_deg"],
        values["angular_deg"],
        to_ras * values["isocentre"],
        sdd_mm=values["source_detector_mm"],
        sid_mm=values["source_isocentre_mm"],
        pixel_mm=across,
        shape=shape,
    )


def _at_right_angles(right: Any, down: Any) -> tuple[Floats, Floats]:
    """Directions that were written with few digits, made exact."""
    axes = np.array([right, down], dtype=np.float64)
    if np.abs(axes @ axes.T - np.eye(2)).max() > _ROUNDED:
        raise GeometryError("right and down are not unit vectors at right angles")
    first = unit(axes[0])
    normal = unit(cross(first, axes[1]))
    return first, cross(normal, first)


def _placed_record(view: View) -> dict[str, Any]:
    vectors = ("source", "detector_origin", "right", "down", "pixel_mm")
    return {
        **({"name": view.name} if view.name else {}),
        **{name: getattr(view, name).tolist() for name in vectors},
        "shape": list(view.shape),
    }


def _loaded(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
    except FileNotFoundError as error:
        raise InputError(f"there is no calibration file '{path}'; check the path") from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}; give the calibration as JSON") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not a readable JSON file ({error}); export the calibration again") from error


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number JSON knows")


def _validate(path: Path, document: Any) -> None:
    import jsonschema

    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(document))
    if problem is not None:
        place = problem.json_path.removeprefix("$.")
        raise InputError(f"{path.name}: {place}: {problem.message[:200]}; see geometry.schema.json")
