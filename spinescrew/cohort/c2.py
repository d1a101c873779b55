"""One neck CT to the answer for both C2 pedicles, and its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spinescrew import __version__
from spinescrew.cohort.folder import result_folder
from spinescrew.cohort.models import told_models
from spinescrew.feasibility.assessment import C2Assessment, assess_c2, summary
from spinescrew.feasibility.scheme import MODELS
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image, write_volume
from spinescrew.networks.weights import list_models
from spinescrew.progress import Progress
from spinescrew.reports.c2_report import write_c2_report

SCHEMA_VERSION = 1
SUMMARY = "c2.json"
REPORT = "report.html"


@dataclass(frozen=True, eq=False)
class C2Case:
    """What was found in a CT, and what was written."""

    assessment: C2Assessment
    files: tuple[Path, ...]


def assess_case(
    ct_path: Path,
    out: Path,
    *,
    series: str | None = None,
    device: str = "auto",
    force: bool = False,
    progress: Progress | None = None,
    assess: Callable[..., C2Assessment] = assess_c2,
) -> C2Case:
    """Judge and measure both C2 pedicles of a CT file or DICOM folder.

    ``out`` is complete or untouched: ``c2.json`` (probabilities, measures, models, step times; RAS mm; no identity and
    no name of a file), ``c2.nii.gz`` (VerSe id 2), ``pedicles.nii.gz`` (left 1, right 2) and ``attention.nii.gz``
    (0..1), all in the CT's own geometry, and ``report.html``.

    Parameters
    ----------
    series:
        Which DICOM series (number or UID), where there are several.
    force:
        Replace an ``out`` that holds other files.
    assess:
        ``assess(ct, device=..., progress=...)``.

    Raises
    ------
    InputError
        If the CT cannot be read, holds no whole C2, or ``out`` cannot be written; the message says which.
    Cancelled
        If ``progress`` was asked to stop.
    """
    progress = progress or Progress()
    out = Path(out)
    with progress.step("read the CT", 0.0, 0.1) as part:
        ct = read_image(Path(ct_path), series=series, progress=part)
    with result_folder(out, force, SUMMARY) as folder:
        found = assess(ct, device=device, progress=progress.part(0.1, 0.8))
        return _written(found, folder, out, progress.part(0.8, 1.0))


def write_case(found: C2Assessment, out: Path, *, force: bool = False, progress: Progress | None = None) -> C2Case:
    """The files of :func:`assess_case` for an assessment that is in memory already.

    Raises
    ------
    InputError
        If ``out`` cannot be written.
    Cancelled
        If ``progress`` was asked to stop.
    """
    out = Path(out)
    with result_folder(out, force, SUMMARY) as folder:
        return _written(found, folder, out, progress or Progress())


def _written(found: C2Assessment, folder: Path, out: Path, progress: Progress) -> C2Case:
    """Everything into ``folder``, which becomes ``out``."""

    def timed() -> C2Assessment:
        return replace(found, seconds={**found.seconds, **progress.timings_s})

    volumes = {"c2.nii.gz": found.labels, "pedicles.nii.gz": found.pedicles, "attention.nii.gz": found.attention}
    with progress.step("write the volumes", 0.0, 0.25):
        for name, volume in volumes.items():
            write_volume(volume, folder / name)
    with progress.step("write the report", 0.25, 1.0) as part:
        write_c2_report(timed(), folder / REPORT, progress=part)
    whole = timed()
    (folder / SUMMARY).write_text(_text(whole), encoding="utf-8")
    return C2Case(whole, tuple(out / name for name in (SUMMARY, *volumes, REPORT)))


def _text(found: C2Assessment) -> str:
    document = {
        "schema_version": SCHEMA_VERSION,
        "software": f"SpineScrew {__version__}",
        "coordinate_system": "RAS",
        "image": _image(found.ct),
        "models": told_models(MODELS, list_models()),
        **summary(found),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _image(ct: Volume) -> dict[str, Any]:
    """Enough to know the image again, nothing about whose it is."""
    return {
        "sha256": ct.content_hash(),
        "shape": list(ct.shape),
        "spacing_mm": [round(float(mm), 4) for mm in ct.spacing],
    }
