"""The built-in case, and phantoms as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from spinescrew.anatomy.levels import parse_levels
from spinescrew.cohort.case import CaseResult, plan_volumes, write_case
from spinescrew.cohort.folder import result_folder
from spinescrew.images import write_volume
from spinescrew.phantoms import SpinePhantom, make_spine_phantom, reference_screws
from spinescrew.progress import Progress

DEMO_SEED = 7
DEMO_LEVELS = "L1-S1"


def run_demo(out: Path, *, force: bool = False, progress: Progress | None = None) -> CaseResult:
    """Make the demo phantom, plan L1-S1 on both sides and write every file."""
    progress = progress or Progress()
    with progress.step("make the demo case", 0.0, 0.3) as part:
        phantom = make_spine_phantom(DEMO_SEED, progress=part)
    result = plan_volumes(phantom.labels, phantom.ct, parse_levels(DEMO_LEVELS), progress=progress.part(0.3, 0.7))
    title = "Demo case (synthetic spine)"
    return write_case(result, out, title=title, force=force, progress=progress.part(0.7, 1.0))


def write_phantom(seed: int, out: Path, *, force: bool = False, progress: Progress | None = None) -> tuple[Path, ...]:
    """Write ct.nii.gz, vertebrae.nii.gz (VerSe ids) and truth.json of one phantom; returns their paths."""
    progress = progress or Progress()
    phantom = make_spine_phantom(seed, progress=progress.part(0.0, 0.8))
    with result_folder(Path(out), force, mark="truth.json") as folder:
        write_volume(phantom.labels, folder / "vertebrae.nii.gz")
        if phantom.ct is not None:
            write_volume(phantom.ct, folder / "ct.nii.gz")
        (folder / "truth.json").write_text(json.dumps(_truth(phantom, seed), indent=1), encoding="utf-8")
        names = sorted(path.name for path in folder.iterdir())
    progress.update(1.0, "written")
    return tuple(Path(out) / name for name in names)


def _truth(phantom: SpinePhantom, seed: int) -> dict[str, Any]:
    """True values by level and side, RAS mm and degrees, with both kinds of reference screw."""
    references = {name: reference_screws(phantom, name) for name in ("straight-forward", "anatomic")}
    levels = {}
    for level, truth in phantom.truth.items():
        sides = {}
        for side, pedicle in truth.pedicles.items():
            values = {
                name: np.round(value, 4).tolist() if isinstance(value, np.ndarray) else value
                for name, value in vars(pedicle).items()
            }
            for name, screws in references.items():
                screw = screws.get((level, side))
                if screw is not None:
                    values[f"reference {name}"] = {
                        "entry_ras": np.round(screw.entry, 4).tolist(),
                        "tip_ras": np.round(screw.tip, 4).tolist(),
                        "diameter_mm": screw.shape.diameter_mm,
                        "length_mm": screw.shape.length_mm,
                    }
            sides[side] = values
        axes = ("origin", "right", "anterior", "superior")
        frame = {name: np.round(getattr(truth.frame, name), 6).tolist() for name in axes}
        levels[level.name] = {"verse_id": level.value, "frame": frame, "pedicles": sides}
    return {"seed": seed, "coordinate_system": "RAS", "levels": levels}
