"""One CT to named vertebrae and their files, by whatever engine is at hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spinescrew.anatomy.levels import Level
from spinescrew.cohort.folder import result_folder
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image, write_volume
from spinescrew.progress import Progress
from spinescrew.segmentation import EngineOptions, Segmentation, check_image, get_engine, list_engines

AUTO = "auto"
FILE = "vertebrae.nii.gz"


@dataclass(frozen=True, eq=False)
class SegmentedCase:
    """A CT, its vertebrae, doubts about the image for people, and what was written."""

    ct: Volume
    found: Segmentation
    warnings: tuple[str, ...]
    files: tuple[Path, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a plan on these vertebrae has to say about them."""
        return (
            f"vertebrae by {self.found.engine}: {self.found.provenance}",
            *self.found.check.values(),
            *self.warnings,
        )


def segment_volume(
    ct: Volume,
    levels: Sequence[Level] | None = None,
    engine: str = AUTO,
    options: EngineOptions | None = None,
    progress: Progress | None = None,
) -> SegmentedCase:
    """Check an image, and find and name its vertebrae.

    Parameters
    ----------
    engine:
        Name of an engine; ``"auto"`` takes the first that can run.

    Raises
    ------
    InputError
        If the image is none that can be planned from, or no engine can run; the message says what is missing.
    """
    progress = progress or Progress()
    with progress.step("check the image", 0.0, 0.05):
        warnings = tuple(warning.text for warning in check_image(ct))
    chosen = get_engine(_choose(options) if engine == AUTO else engine, options)
    found = chosen.segment(ct, levels, progress.part(0.05, 1.0))
    return SegmentedCase(ct, found, warnings)


def segment_case(
    ct: Path,
    out: Path | None = None,
    levels: Sequence[Level] | None = None,
    engine: str = AUTO,
    options: EngineOptions | None = None,
    *,
    series: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> SegmentedCase:
    """:func:`segment_volume` of a CT file or DICOM folder.

    ``out`` is complete or untouched: ``vertebrae.nii.gz`` (VerSe ids in the CT's own geometry) and
    ``segmentation.json`` (engine, provenance, confidence and doubts by level, step times).
    """
    progress = progress or Progress()
    with progress.step("read the CT", 0.0, 0.1) as part:
        image = read_image(ct, series=series, progress=part)
    case = segment_volume(image, levels, engine, options, progress.part(0.1, 0.95))
    if out is None:
        return case
    out = Path(out)
    with result_folder(out, force) as folder, progress.step("write the labels", 0.95, 1.0):
        write_volume(case.found.labels, folder / FILE)
        text = json.dumps(_summary(case, progress), indent=2, ensure_ascii=False)
        (folder / "segmentation.json").write_text(text + "\n", encoding="utf-8")
    return SegmentedCase(case.ct, case.found, case.warnings, (out / FILE, out / "segmentation.json"))


def _choose(options: EngineOptions | None) -> str:
    states = list_engines(options)
    for state in states:
        if not state.reason:
            return state.name
    reasons = "; ".join(f"{state.name}: {state.reason}" for state in states)
    raise InputError(f"no engine can segment this CT ({reasons}); or give --labels")


def _summary(case: SegmentedCase, progress: Progress) -> dict[str, Any]:
    found = case.found
    return {
        "engine": found.engine,
        "provenance": found.provenance,
        "levels": {
            level.name: {"verse_id": level.value, "confidence": round(share, 3), "check": found.check.get(level, "")}
            for level, share in found.confidence.items()
        },
        "not_found": {level.name: text for level, text in found.check.items() if level not in found.confidence},
        "warnings": list(case.warnings),
        "timings_s": {**found.timings_s, **progress.timings_s},
    }
