"""The screws of a plan as STL files, for printing and for other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.atomic import atomic_path
from spinescrew.implants.mesh import posed_mesh
from spinescrew.implants.screw import Screw
from spinescrew.planning.plan import Plan

HEADER = b"SPACE=LPS; unit=mm; SpineScrew plan"
_HEADER_BYTES = 80
_RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def write_screw_stls(plan: Plan, folder: str | Path, *, threaded: bool = True) -> tuple[Path, ...]:
    """One binary STL per planned screw, in **LPS** millimetres with ``SPACE=LPS`` in its header, as Slicer reads it.

    Files are named by level, side and size (``L3_left_6.5x45.stl``). Afterwards the folder holds the screws of this
    plan only: files of an earlier plan, known by their header, are removed; all others are left alone.

    Returns
    -------
    The files, from the head down.

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    folder = Path(folder)
    written = []
    for row in plan.screws:
        if row.screw is None:
            continue
        path = folder / stl_name(row.level, row.side, row.screw)
        written.append(write_stl(path, *posed_mesh(row.screw, threaded=threaded)))
    for path in folder.glob("*.stl"):
        if path not in written and _is_ours(path):
            path.unlink()
    return tuple(written)


def stl_name(level: Level, side: Side, screw: Screw) -> str:
    """``"L3_left_6.5x45.stl"``: level, side, diameter and length in mm."""
    return f"{level.name}_{side}_{size_name(screw)}.stl"


def size_name(screw: Screw) -> str:
    """``"6.5x45"``: diameter and length in mm."""
    length = f"{screw.shape.length_mm:.1f}".removesuffix(".0")
    return f"{screw.shape.diameter_mm:.1f}x{length}"


def write_stl(path: str | Path, points: NDArray[np.float64], triangles: NDArray[np.int64]) -> Path:
    """A surface of ``points`` (n, 3) RAS mm as one binary STL file in LPS, whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(binary_stl(points * _RAS_TO_LPS, triangles))
    return Path(path)


def binary_stl(points: NDArray[np.float64], triangles: NDArray[np.int64]) -> bytes:
    """A surface of ``points`` (n, 3) LPS mm and ``triangles`` (m, 3) as the content of a binary STL file."""
    facets = np.zeros(len(triangles), dtype=_FACET)
    corners = points[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facets["normal"] = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    facets["corners"] = corners
    return HEADER.ljust(_HEADER_BYTES) + np.uint32(len(facets)).astype("<u4").tobytes() + facets.tobytes()


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(HEADER)) == HEADER
