"""The image that the planner in a browser was asked for, judged: a CT, a case's CT, or the built-in neck."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spinescrew.cohort.c2 import SUMMARY
from spinescrew.errors import InputError, OtherImageError
from spinescrew.feasibility.assessment import assess_c2
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image
from spinescrew.phantoms.axis import make_axis_case
from spinescrew.phantoms.axis.morphometry import Variant
from spinescrew.progress import Progress
from spinescrew.viewer.opened import Judged, Target

NECK_SEED, NECK_SLICE_MM = 7, 1.0
NECK_VARIANT: Variant = "asymmetric"
"""Wide on one side and narrow on the other."""

NECK_NAME = "Demo neck (simulated)"
_SCENE = "scene.mrb"


def is_c2_case(path: Path | None) -> bool:
    """Whether ``path`` is a folder that ``spinescrew c2`` or the C2 tab wrote."""
    return path is not None and (path / SUMMARY).is_file()


def judge_target(target: Target, ct: Volume | None = None, progress: Progress | None = None) -> Judged:
    """Judge both pedicles of C2 in ``ct``, where the planner holds it already, or in the target's image.

    Raises
    ------
    InputError
        If the image cannot be read, is not the one of the C2 case, or cannot be judged; the message says why.
    """
    progress = progress or Progress()
    with progress.step("read the CT", 0.0, 0.15) as part:
        image = ct if ct is not None else _image(target, part)
    if target.c2 is not None and not target.confirmed:
        _check_same(image, target.c2)
    return Judged(assess_c2(image, progress=progress.part(0.15, 1.0)), _name(target))


def _image(target: Target, progress: Progress) -> Volume:
    if target.built_in:
        return make_axis_case(NECK_SEED, slice_mm=NECK_SLICE_MM, variant=NECK_VARIANT).ct
    scene = _scene(target.path)
    if scene is not None and scene.is_file() and target.ct is None:
        return _image_of_scene(scene)
    path = target.ct or target.path
    if path is None or path.suffix.lower() == ".json":
        raise InputError("there is no image to judge; give the neck CT with --ct")
    return read_image(path, series=target.series, progress=progress)


def _scene(path: Path | None) -> Path | None:
    """The saved scene of a planned case that ``path`` is, lies in, or stands beside."""
    if path is None or path.suffix.lower() == ".mrb":
        return path
    if path.suffix.lower() == ".json":
        return path.with_name(_SCENE)
    return path / _SCENE if path.is_dir() else None


def _image_of_scene(path: Path) -> Volume:
    from spinescrew.scene.bundle import inputs_of, read_bundle
    from spinescrew.scene.standalone import full_scene

    with full_scene() as scene:
        ct, _labels = inputs_of(read_bundle(scene, path))
    if ct is None:
        raise InputError(f"'{path}' holds no image; give the neck CT with --ct")
    return ct


def _check_same(image: Volume, case: Path) -> None:
    try:
        known: dict[str, Any] = json.loads((case / SUMMARY).read_text(encoding="utf-8"))
        expected = known["image"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"'{case / SUMMARY}' cannot be read; run spinescrew c2 again") from error
    if image.content_hash() != expected:
        raise OtherImageError(
            f"the image is another one than that of '{case.name}'; give its own CT, or add --other-image"
        )


def _name(target: Target) -> str:
    path = target.c2 or target.path or target.ct or target.labels
    return path.resolve().name if path is not None else NECK_NAME
