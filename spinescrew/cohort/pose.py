"""Two radiographs to the poses of the screws in them, and their files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinescrew.cohort.folder import result_folder
from spinescrew.cohort.models import told_models
from spinescrew.cohort.pose_outcome import (
    NO_CT,
    PlanInput,
    PoseOutcome,
    outcome_columns,
    outcome_from_ct,
    outcome_from_views,
    read_plan_case,
)
from spinescrew.cohort.pose_pair import Size, SolvedPair, read_pair, solve_pair
from spinescrew.errors import GeometryError, InputError
from spinescrew.exchange.pose_file import write_pose
from spinescrew.exchange.pose_record import geometry_hash, image_hash
from spinescrew.exchange.pose_table import write_pose_csv, write_pose_stls
from spinescrew.images import read_image
from spinescrew.networks.card import PROVENANCE
from spinescrew.networks.weights import list_models
from spinescrew.progress import Progress
from spinescrew.radiographs.find import MODEL
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.reports.outcome_table import PlacedSection
from spinescrew.reports.pose_report import write_pose_report

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PoseResult

POSE, TABLE, REPORT, SURFACES = "pose.json", "screws.csv", "report.html", "screws"


@dataclass(frozen=True, eq=False)
class PoseCase:
    """What was found in two radiographs, the images as they were read, and what was written.

    The views of ``result`` are those of the whole images (:func:`spinescrew.radiographs.regrid.with_whole_views`).
    """

    result: PoseResult
    radiographs: tuple[Radiograph, Radiograph]
    outcome: PoseOutcome | None = None
    postop: PoseOutcome | None = None
    provenance: str = PROVENANCE
    files: tuple[Path, ...] = ()


def solve_case(
    images: Sequence[str | Path],
    geometry: str | Path,
    out: Path,
    *,
    sizes: Sequence[Size] | None = None,
    plan: Path | None = None,
    ct: Path | None = None,
    labels: Path | None = None,
    postop: Path | None = None,
    numbering: str = "auto",
    title: str = "",
    force: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
    pose: Callable[..., SolvedPair] = solve_pair,
) -> PoseCase:
    """Find the screws of two radiographs and where each stands.

    ``out`` is complete or untouched: ``pose.json`` (all of it; RAS mm; no identity and no name of a file),
    ``screws.csv``, ``screws/*.stl`` and ``report.html``.

    Parameters
    ----------
    images:
        Two radiographs (DICOM, PNG, JPEG, TIFF).
    geometry:
        Calibration file with the view of each, in the same order.
    sizes:
        (diameter, length) in mm of the screws, in any order: one for all, or as many as there are; measured when left
        out.
    plan, ct, labels, numbering:
        ``plan.json`` that the screws were to follow, the CT it was made on, and its named vertebrae (an engine finds
        them where they are left out): then planned and placed screws are compared.
    postop:
        A CT with the screws in place: then these are compared with the plan as well.
    title:
        Heading of the report. No patient identity is written unless it is given here.
    force:
        Replace an ``out`` that holds other files.
    pose:
        ``pose(pair, sizes, device=..., progress=...)``.

    Raises
    ------
    InputError
        Whatever is wrong with images, geometry, sizes, plan or ``out``, in one line.
    Cancelled
        If ``progress`` was asked to stop; nothing is written then.
    """
    progress = progress or Progress()
    out = Path(out)
    source = _plan_input(plan, ct, labels, postop, numbering)
    with result_folder(out, force, POSE) as folder:
        with progress.step("read the images", 0.0, 0.05):
            pair = read_pair(images, geometry)
        planned = None
        if source is not None:
            with progress.step("read the plan", 0.05, 0.2) as part:
                planned = read_plan_case(source, part)
        solved = pose(pair, sizes, device=device, progress=progress.part(0.2, 0.5))
        case = PoseCase(solved.result, solved.radiographs)
        if planned is not None:
            with progress.step("compare with the plan", 0.5, 0.7) as part:
                case = replace(case, outcome=outcome_from_views(planned, solved.result, solved.radiographs, part))
        if planned is not None and postop is not None:
            with progress.step("compare with the CT after the operation", 0.7, 0.85) as part:
                later = read_image(postop, progress=part.part(0.0, 0.2))
                case = replace(case, postop=outcome_from_ct(planned, later, part.part(0.2, 1.0)))
        return _written(case, folder, out, title, progress.part(0.85, 1.0))


def write_pose_case(
    case: PoseCase, out: Path, *, title: str = "", force: bool = False, progress: Progress | None = None
) -> PoseCase:
    """The files of :func:`solve_case` for poses that are in memory already, such as corrected ones.

    Raises
    ------
    InputError
        If ``out`` cannot be written.
    Cancelled
        If ``progress`` was asked to stop.
    """
    out = Path(out)
    with result_folder(out, force, POSE) as folder:
        return _written(case, folder, out, title, progress or Progress())


def parse_size(text: str) -> Size:
    """``"6.5x45"`` to (6.5, 45.0): diameter and length in mm.

    Raises
    ------
    InputError
        If it is no such size.
    """
    parts = text.lower().replace("×", "x").replace("mm", "").split("x")
    try:
        diameter, length = (float(part) for part in parts)
    except ValueError as error:
        raise InputError(f"'{text}' is no size of a screw; write diameter x length in mm, such as 6.5x45") from error
    if not (2.0 <= diameter <= 15.0 and 10.0 <= length <= 150.0):
        raise InputError(f"'{text}' is no size of a pedicle screw; write diameter x length in mm, such as 6.5x45")
    return diameter, length


def _plan_input(
    plan: Path | None, ct: Path | None, labels: Path | None, postop: Path | None, numbering: str
) -> PlanInput | None:
    if plan is None:
        if any(path is not None for path in (ct, labels, postop)):
            raise InputError("a CT or labels are of use beside a plan only; give --plan, or leave them out")
        return None
    if ct is None:
        raise InputError(NO_CT)
    return PlanInput(plan, ct, labels, numbering)


def _written(case: PoseCase, folder: Path, out: Path, title: str, progress: Progress) -> PoseCase:
    """Everything into ``folder``, which becomes ``out``."""
    for number, (image, view) in enumerate(zip(case.radiographs, case.result.views, strict=True), start=1):
        if image.shape != view.shape:
            raise GeometryError(f"view {number} is not that of its whole image: {view.shape} for {image.shape} pixels")

    def timed() -> PoseResult:
        return replace(case.result, seconds={**case.result.seconds, **progress.timings_s})

    models = told_models((MODEL,), list_models())
    provenance = "; ".join(dict.fromkeys(model["provenance"] for model in models)) or PROVENANCE
    with progress.step("write the screws", 0.0, 0.2):
        write_pose_csv(case.result, folder / TABLE, **_columns(case.outcome))
        write_pose_stls(case.result, folder / SURFACES)
    with progress.step("draw the report", 0.2, 0.95) as part:
        hashes = {f"image {n}": image_hash(image) for n, image in enumerate(case.radiographs, start=1)}
        hashes["geometry"] = geometry_hash(case.result.given_views)
        write_pose_report(
            timed(),
            case.radiographs,
            folder / REPORT,
            provenance=provenance,
            hashes=hashes,
            placed=[
                PlacedSection(each.title, each.found, each.words, each.inclusive)
                for each in (case.outcome, case.postop)
                if each is not None
            ],
            title=title,
            progress=part,
        )
    whole = timed()
    outcome, postop = (None if each is None else each.to_dict() for each in (case.outcome, case.postop))
    write_pose(whole, case.radiographs, folder / POSE, models=models, outcome=outcome, postop=postop)
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return replace(case, result=whole, provenance=provenance, files=tuple(out / name for name in names))


def _columns(outcome: PoseOutcome | None) -> dict[str, Any]:
    """Names and differences from the plan for the table of screws."""
    if outcome is None:
        return {}
    placed = {screw.number: screw for screw in outcome.found.screws if screw.number is not None}
    names = {number: (screw.level.name, screw.side) for number, screw in placed.items()}
    return {"names": names, "more": {number: outcome_columns(screw) for number, screw in placed.items()}}
