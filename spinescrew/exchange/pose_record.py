"""Screws found in two radiographs as plain values (``pose.schema.json`` says what they mean)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import spinescrew
from spinescrew.exchange.plain import plain
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.regrid import between
from spinescrew.radiographs.view import View

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PosedScrew, PoseResult
    from spinescrew.radiographs.seen import SeenScrew

SCHEMA_VERSION = 1
KIND = "screw poses"
FREEDOMS = ("across_u_mm", "across_v_mm", "along_mm", "tilt_u_deg", "tilt_v_deg")
"""What the rows of a screw's covariance are, at mid-shaft."""

VIEW_FIELDS = ("source", "detector_origin", "right", "down", "pixel_mm")
_ROUNDED = 6


def pose_document(
    result: PoseResult,
    radiographs: Sequence[Radiograph],
    *,
    models: Sequence[Mapping[str, str]] = (),
    outcome: Mapping[str, Any] | None = None,
    postop: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """All of a result as JSON can hold it, without a name of a patient or a file.

    Parameters
    ----------
    models:
        Which networks spoke: name, version, sha256, provenance.
    outcome, postop:
        Planned against placed, as plain values: by these poses, and by a CT after the operation.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "coordinate_system": "RAS",
        "units": {"length": "mm", "angle": "degree", "time": "s"},
        "software_version": spinescrew.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "provenance": "; ".join(dict.fromkeys(model["provenance"] for model in models)),
        "models": [dict(model) for model in models],
        "images": [_image(image) for image in radiographs],
        "geometry": {
            "sha256": geometry_hash(result.given_views),
            "given": [view_record(view) for view in result.given_views],
            "used": [view_record(view) for view in result.views],
            "between_deg": round(between_deg(result.views), 2),
            "refinement": plain(result.calibration),
        },
        "screws": [_screw(posed, result) for posed in result.screws],
        "unmatched": [[_seen(seen, result, n) for seen in alone] for n, alone in enumerate(result.unmatched)],
        "outcome": None if outcome is None else dict(outcome),
        "postop_outcome": None if postop is None else dict(postop),
        "warnings": list(result.warnings),
        "seconds": {name: round(value, 2) for name, value in result.seconds.items()},
    }


def image_hash(image: Radiograph) -> str:
    """``sha256:...`` of pixels and shape; the format of the file does not matter."""
    digest = hashlib.sha256(str(image.shape).encode())
    digest.update(np.ascontiguousarray(image.pixels, dtype=np.float32).tobytes())
    return f"sha256:{digest.hexdigest()}"


def geometry_hash(views: Sequence[View]) -> str:
    """``sha256:...`` of where sources and detectors stood, to 1e-6 mm; the way the file told it does not matter."""
    digest = hashlib.sha256()
    for view in views:
        digest.update(str(view.shape).encode())
        for name in VIEW_FIELDS:
            digest.update((np.round(getattr(view, name), _ROUNDED) + 0.0).tobytes())  # -0.0 is 0.0
    return f"sha256:{digest.hexdigest()}"


def between_deg(views: Sequence[View]) -> float:
    """Angle between two views, 0 to 90: opposite ones are as much alike as equal ones."""
    angle = views[0].angle_to(views[1])
    return min(angle, 180.0 - angle)


def view_record(view: View) -> dict[str, Any]:
    """A view as calibration files hold it."""
    named = {"name": view.name} if view.name else {}
    return {**named, **{name: getattr(view, name).tolist() for name in VIEW_FIELDS}, "shape": list(view.shape)}


def deviations(posed: PosedScrew) -> NDArray[np.float64]:
    """(5,) standard deviations of a screw's degrees of freedom, in the order of :data:`FREEDOMS`."""
    return np.asarray(np.sqrt(np.maximum(np.diag(posed.covariance), 0.0)))


def _image(image: Radiograph) -> dict[str, Any]:
    return {
        "sha256": image_hash(image),
        "shape": list(image.shape),
        "view": image.view,
        "bright_is_dense": bool(image.bright_is_dense),
        "pixel_mm": plain(image.pixel_mm),
    }


def _screw(posed: PosedScrew, result: PoseResult) -> dict[str, Any]:
    screw = posed.screw
    return {
        "number": int(posed.number),
        "side": posed.side,
        "entry_ras": plain(screw.entry),
        "tip_ras": plain(screw.tip),
        "direction_ras": plain(screw.direction),
        "diameter_mm": float(screw.shape.diameter_mm),
        "length_mm": float(screw.shape.length_mm),
        "sizes_given": bool(posed.sizes_given),
        "size_sd_mm": plain(posed.size_sd_mm),
        "roll_deg": plain(posed.roll_deg),
        "tulip": {"axis_ras": plain(posed.tulip_axis), "slot_deg": plain(posed.slot_deg)},
        "frame_ras": plain(np.transpose(posed.frame)),
        "standard_deviation": dict(zip(FREEDOMS, plain(deviations(posed)), strict=True)),
        "covariance": plain(posed.covariance),
        "residual_px": plain(posed.residual_px),
        "seen": [_seen(seen, result, n) for n, seen in enumerate(posed.seen)],
        "notes": list(posed.notes),
    }


def _seen(seen: SeenScrew, result: PoseResult, index: int) -> dict[str, Any]:
    """In pixels of the whole image."""
    part, whole = result.maps[index].view, result.given_views[index]
    step = float((part.pixel_mm / whole.pixel_mm).mean())
    return {
        **{f"{name}_px": plain(between(part, whole, getattr(seen, name)).round(2)) for name in ("neck", "tip", "head")},
        "radius_px": plain(round(float(seen.radius_px) * step, 2)),
        "confidence": plain(round(float(seen.confidence), 3)),
    }
