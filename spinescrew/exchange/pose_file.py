"""Files of screw poses: written whole or not at all, checked when read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.errors import GeometryError, InputError, OtherImageError
from spinescrew.exchange import pose_record
from spinescrew.exchange.checked import Kind, checked_document
from spinescrew.geometry.atomic import atomic_path
from spinescrew.implants.screw import Screw
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.view import View

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PoseResult

_SCHEMA = Path(__file__).with_name("pose.schema.json")
_KIND = Kind("pose", "pose.json", "solve the case again", _SCHEMA, pose_record.SCHEMA_VERSION)


@dataclass(frozen=True, eq=False)
class KeptPoses:
    """What a file of poses tells.

    Attributes
    ----------
    screws:
        By number.
    given, used:
        The two views as they were given, and as they were refined; the screws stand in the latter.
    document:
        All of the file, as plain values.
    """

    screws: dict[int, Screw]
    given: tuple[View, View]
    used: tuple[View, View]
    document: dict[str, Any]

    def check_images(self, radiographs: Sequence[Radiograph], *, confirmed: bool = False) -> tuple[str, ...]:
        """Whether these are the images that the screws were found in; what is not, one line each.

        Raises
        ------
        OtherImageError
            If one is not, unless ``confirmed``.
        """
        told = [record["sha256"] for record in self.document["images"]]
        found = tuple(
            f"image {number} is not the one in which the screws were found"
            for number, (image, expected) in enumerate(zip(radiographs, told, strict=True), start=1)
            if pose_record.image_hash(image) != expected
        )
        if found and not confirmed:
            raise OtherImageError(f"{'; '.join(found)}; give its own images, or confirm that these belong to it")
        return found


def write_pose(
    result: PoseResult,
    radiographs: Sequence[Radiograph],
    path: str | Path,
    *,
    models: Sequence[Mapping[str, str]] = (),
    outcome: Mapping[str, Any] | None = None,
    postop: Mapping[str, Any] | None = None,
) -> Path:
    """A result as one JSON file (``pose.schema.json``); parameters as :func:`pose_record.pose_document`.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    document = pose_record.pose_document(result, radiographs, models=models, outcome=outcome, postop=postop)
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return Path(path)


def read_pose(path: str | Path) -> KeptPoses:
    """The poses in a file of this version or an older one.

    Raises
    ------
    InputError
        If the file is missing, damaged, holds no poses, or comes from a newer version; one line names the file, the
        place and what is wrong.
    """
    path = Path(path)
    document = checked_document(path, _KIND)
    try:
        screws = {record["number"]: _screw(path, record) for record in document["screws"]}
        given, used = (tuple(_view(record) for record in document["geometry"][name]) for name in ("given", "used"))
    except GeometryError as error:
        raise InputError(f"{path.name}: geometry: {error}; solve the case again") from error
    return KeptPoses(screws, (given[0], given[1]), (used[0], used[1]), document)


def _screw(path: Path, record: Mapping[str, Any]) -> Screw:
    try:
        return Screw.between(record["entry_ras"], record["tip_ras"], record["diameter_mm"])
    except InputError as error:
        raise InputError(f"{path.name}: screw {record['number']}: {error}") from error


def _view(record: Mapping[str, Any]) -> View:
    rows, columns = record["shape"]
    source, corner, right, down, steps = (np.array(record[name], float) for name in pose_record.VIEW_FIELDS)
    return View(source, corner, right, down, steps, (rows, columns))
