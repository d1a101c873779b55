"""One or two radiographs to the system of their screws, and its files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spinescrew.brands.identify import BrandResult, identify
from spinescrew.brands.models import ENSEMBLE, KINDS, BrandModels, load_models, model_name
from spinescrew.cohort.folder import result_folder
from spinescrew.cohort.models import told_models
from spinescrew.errors import InputError
from spinescrew.exchange.brand_record import brand_document
from spinescrew.exchange.pose_record import image_hash
from spinescrew.networks.weights import list_models
from spinescrew.progress import Progress
from spinescrew.radiographs.find import MODEL
from spinescrew.radiographs.image import read_radiograph
from spinescrew.reports.brand_report import write_brand_report

BRAND, REPORT = "brand.json", "report.html"


@dataclass(frozen=True, eq=False)
class BrandCase:
    """The answer, and what was written."""

    result: BrandResult
    files: tuple[Path, ...]


def identify_case(
    images: Sequence[str | Path],
    out: Path,
    *,
    members: Sequence[str] = (),
    unlocked: bool = False,
    title: str = "",
    force: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
    models: BrandModels | None = None,
    judge: Callable[..., BrandResult] = identify,
) -> BrandCase:
    """Say which system one or two radiographs show.

    ``out`` is complete or untouched: ``brand.json`` (all of it; no identity and no name of a file) and ``report.html``.

    Parameters
    ----------
    images:
        A radiograph from the front, one from the side, or both, in any order (DICOM, PNG, JPEG, TIFF).
    members:
        Of the ensemble, such as ``("ap", "lat")``; all models that can answer when left out.
    unlocked:
        Show names of a user's folder although models learned from simulated images, too.
    title:
        Heading of the report. No patient identity is written unless it is given here.
    force:
        Replace an ``out`` that holds other files.
    models:
        Loaded ones; those installed when left out.

    Raises
    ------
    InputError
        Whatever is wrong with the images, the models or ``out``, in one line.
    Cancelled
        If ``progress`` was asked to stop; nothing is written then.
    """
    progress = progress or Progress()
    out = Path(out)
    if not 1 <= len(images) <= 2:
        raise InputError(f"one radiograph is judged, or two of one patient; {len(images)} were given")
    with result_folder(out, force, BRAND) as folder:
        with progress.step("read the images", 0.0, 0.05):
            read = [read_radiograph(path) for path in images]
        with progress.step("load the models", 0.05, 0.2):
            models = models or load_models(device)
        found = judge(read, models, members=members, unlocked=unlocked, device=device, progress=progress.part(0.2, 0.8))
        return _written(found, folder, out, title, progress.part(0.8, 1.0))


def write_brand_case(
    found: BrandResult, out: Path, *, title: str = "", force: bool = False, progress: Progress | None = None
) -> BrandCase:
    """The files of :func:`identify_case` for an answer that is in memory already.

    Raises
    ------
    InputError
        If ``out`` cannot be written.
    Cancelled
        If ``progress`` was asked to stop.
    """
    out = Path(out)
    with result_folder(out, force, BRAND) as folder:
        return _written(found, folder, out, title, progress or Progress())


def _written(found: BrandResult, folder: Path, out: Path, title: str, progress: Progress) -> BrandCase:
    """Everything into ``folder``, which becomes ``out``."""
    with progress.step("write the report", 0.0, 0.95) as part:
        hashes = {f"image {n}": image_hash(found.located[view].radiograph) for n, view in enumerate(found.views, 1)}
        write_brand_report(found, folder / REPORT, hashes=hashes, title=title, progress=part)
    whole = replace(found, seconds={**(found.seconds or {}), **progress.timings_s})
    used = (MODEL, *(model_name(kind) for kind in KINDS), ENSEMBLE)
    text = _text(brand_document(whole, models=told_models(used, list_models())))
    (folder / BRAND).write_text(text, encoding="utf-8")
    return BrandCase(whole, (out / BRAND, out / REPORT))


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
