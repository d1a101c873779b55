"""One case: from image and labels to a graded plan and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.anatomy.numbering import to_verse
from spinescrew.anatomy.vertebra import Spine
from spinescrew.cohort.folder import result_folder
from spinescrew.cohort.guides import guides_for
from spinescrew.cohort.segment import segment_case
from spinescrew.errors import InputError
from spinescrew.exchange import check_plan_matches, read_plan, write_plan, write_screw_stls, write_screws_csv
from spinescrew.geometry.volume import Volume
from spinescrew.grading.grade import execution_risk
from spinescrew.grading.options import GradingOptions
from spinescrew.images import read_image, read_labels
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.plan import Plan
from spinescrew.planning.planner import grade_plan, plan_spine
from spinescrew.progress import Progress
from spinescrew.reports import write_report
from spinescrew.scene.bundle import bundle_problem, write_bundle


@dataclass(frozen=True, eq=False)
class CaseResult:
    """A graded plan, the spine it stands in, and what was written (empty without an output folder)."""

    plan: Plan
    spine: Spine
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class CaseInput:
    """Where a case comes from.

    Attributes
    ----------
    labels:
        Label map of named vertebrae; ``None`` has an engine find them in the CT.
    ct:
        CT file or DICOM folder; ``None`` plans on the mask alone (densities are then empty).
    numbering:
        ``"auto"``, ``"verse"``, ``"totalsegmentator"``, ``"totalsegmentator-v1"`` or ``"totalsegmentator-v2"``.
    series:
        Which DICOM series, where the folder holds several.
    engine:
        Which engine finds the vertebrae where there are no labels.
    """

    labels: Path | None
    ct: Path | None = None
    numbering: str = "auto"
    series: str | None = None
    engine: str = "auto"


def load_case(
    source: CaseInput, progress: Progress | None = None, levels: Sequence[Level] | None = None
) -> tuple[Volume, Volume | None]:
    """(labels in VerSe ids, CT or ``None``); where there are no labels an engine finds ``levels`` in the CT.

    Raises
    ------
    InputError
        If a file cannot be used, or labels and CT do not lie in the same place.
    """
    progress = progress or Progress()
    if source.labels is None:
        return _segmented(source, levels, progress)
    progress.update(0.0, "reading the labels")
    labels = to_verse(read_labels(source.labels), source.numbering)
    ct = None
    if source.ct is not None:
        progress.update(0.3, "reading the CT")
        ct = read_image(source.ct, series=source.series, progress=progress.part(0.3, 1.0))
        _check_same_place(labels, ct, source)
    return labels, ct


def _segmented(source: CaseInput, levels: Sequence[Level] | None, progress: Progress) -> tuple[Volume, Volume]:
    """Labels found by an engine, with what it says of them in their notes, and the CT."""
    if source.ct is None:
        raise InputError("there is nothing to plan from; give a CT, a label map (--labels), or both")
    case = segment_case(source.ct, None, levels, source.engine, series=source.series, progress=progress)
    labels = case.found.labels
    notes = [*labels.metadata.get("notes", []), *case.notes]
    return Volume(labels.array, labels.affine, {**labels.metadata, "notes": notes}), case.ct


def _check_same_place(labels: Volume, ct: Volume, source: CaseInput) -> None:
    """Refuse labels of another image: most labelled voxels must lie inside the CT."""
    import numpy as np

    index = np.argwhere(labels.array > 0)
    index = index[:: max(1, len(index) // 5000)]
    inside = float(ct.contains(labels.index_to_ras(index), margin_mm=-1.0).mean())
    if inside < 0.98:
        raise InputError(
            f"{source.labels} does not belong to {source.ct}: {100 * (1 - inside):.0f} % of the labelled voxels lie "
            "outside the CT; give the labels made from this image"
        )


def present_levels(labels: Volume) -> tuple[Level, ...]:
    """Levels T1-S1 of a VerSe label map, from the head down: what is planned when nothing is asked for."""
    return tuple(
        level for level in cranial_to_caudal() if level.region != "cervical" and (labels.array == level.value).any()
    )


def plan_volumes(
    labels: Volume,
    ct: Volume | None,
    levels: Sequence[Level] | None = None,
    options: PlanningOptions | None = None,
    progress: Progress | None = None,
) -> CaseResult:
    """Measure and plan; the whole job of the Slicer module and the console, without any file."""
    progress = progress or Progress()
    levels = tuple(levels) if levels is not None else present_levels(labels)
    if not levels:
        raise InputError("the label map holds no vertebra from T1 to S1; nothing can be planned")
    if all(not (labels.array == level.value).any() for level in levels):
        asked, held = ", ".join(level.label for level in levels), ", ".join(x.label for x in present_levels(labels))
        raise InputError(f"none of {asked} is in the label map; it holds {held or 'no vertebra from T1 to S1'}")
    options = options or PlanningOptions()
    with progress.step("measure the vertebrae", 0.0, 0.6) as part:
        spine = build_spine(labels, ct, levels, part)
    with progress.step("find entry and exit", 0.6, 0.7) as part:
        guides, told = guides_for(labels, ct, levels, options, part)
    plan = plan_spine(spine, levels, options, progress.part(0.7, 1.0), guides)
    parameters = {**plan.parameters, "input_notes": [*input_notes(labels, ct), *filter(None, [told])]}
    return CaseResult(replace(plan, parameters=parameters, timings_s=dict(progress.timings_s)), spine)


def input_notes(labels: Volume, ct: Volume | None) -> list[str]:
    """What was decided or put right while reading, and doubts about the image, for people."""
    notes = [f"numbering of the labels: {labels.metadata['numbering']}"] if "numbering" in labels.metadata else []
    for name, volume in (("labels", labels), ("CT", ct)):
        if volume is not None:
            found = [*volume.metadata.get("corrections", []), *volume.metadata.get("notes", [])]
            notes.extend(f"{name}: {text}" for text in found)
    return notes


def plan_case(
    source: CaseInput,
    levels: Sequence[Level] | None = None,
    options: PlanningOptions | None = None,
    out: Path | None = None,
    *,
    title: str = "",
    monte_carlo: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> CaseResult:
    """Plan one case from files.

    Parameters
    ----------
    out:
        Folder for plan.json, screws.csv, screws/*.stl, report.html and scene.mrb (where slicer-core is installed); it
        is complete or untouched. Nothing is written when left out.
    title:
        Heading of the report. No patient identity is written unless it is given here.
    monte_carlo:
        Also estimate the probability of each grade under execution error.

    Raises
    ------
    InputError
        Whatever is wrong with the input, in one line.
    Cancelled
        If ``progress`` was asked to stop; nothing is written then.
    """
    progress = progress or Progress()
    share = 0.1 if source.labels is not None else 0.5
    with progress.step("read the case" if source.labels is not None else "find the vertebrae", 0.0, share) as part:
        labels, ct = load_case(source, part, levels)
    result = plan_volumes(labels, ct, levels, options, progress.part(share, 0.7))
    if monte_carlo:
        result = replace(result, plan=with_risk(result.plan, result.spine, progress.part(0.7, 0.75)))
    return write_case(result, out, title=title, force=force, progress=progress.part(0.75, 1.0))


def grade_case(
    source: CaseInput,
    plan_file: Path,
    out: Path | None = None,
    *,
    title: str = "",
    monte_carlo: bool = False,
    confirmed: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> CaseResult:
    """Grade the screws of a plan file against a label map; ``confirmed`` grades it on another image than its own."""
    progress = progress or Progress()
    plan = read_plan(plan_file)
    with progress.step("read the case", 0.0, 0.1) as part:
        labels, ct = load_case(source, part)
    levels = tuple(dict.fromkeys(row.level for row in plan.screws))
    with progress.step("measure the vertebrae", 0.1, 0.6) as part:
        spine = build_spine(labels, ct, levels, part)
    check_plan_matches(plan, spine, confirmed=confirmed)
    with progress.step("grade the screws", 0.6, 0.7) as part:
        plan = grade_plan(plan, spine, GradingOptions(), part)
    if monte_carlo:
        plan = with_risk(plan, spine, progress.part(0.7, 0.75))
    parameters = {**plan.parameters, "input_notes": input_notes(labels, ct)}
    result = CaseResult(replace(plan, parameters=parameters, timings_s=dict(progress.timings_s)), spine)
    return write_case(result, out, title=title, force=force, progress=progress.part(0.75, 1.0))


def with_risk(plan: Plan, spine: Spine, progress: Progress | None = None) -> Plan:
    """The plan with the probability of each grade under execution error beside every graded screw."""
    progress = progress or Progress()
    with progress.step("estimate the execution risk") as part:
        for n, row in enumerate(plan.planned):
            part.update(n / max(len(plan.planned), 1), f"risk of {row.level.label} {row.side}")
            if row.assessment is None or row.screw is None or row.assessment.breach is None:
                continue
            risk = execution_risk(row.screw, spine, row.level, row.side)
            plan = plan.with_screw(replace(row, assessment=replace(row.assessment, execution_risk=risk)))
    return plan


def write_case(
    result: CaseResult,
    out: Path | None,
    *,
    title: str = "",
    force: bool = False,
    progress: Progress | None = None,
) -> CaseResult:
    """Write every file of a case into ``out``, which is complete or untouched; step times end up in the plan."""
    if out is None:
        return result
    progress = progress or Progress()
    plan, out = result.plan, Path(out)
    with result_folder(out, force) as folder:
        with progress.step("write the screws", 0.0, 0.2):
            write_screws_csv(plan, folder / "screws.csv")
            write_screw_stls(plan, folder / "screws")
        with progress.step("draw the report", 0.2, 0.8) as part:
            write_report(plan, result.spine, folder / "report.html", title=title, progress=part)
        with progress.step("write the scene", 0.8, 0.95):
            if not bundle_problem():
                write_bundle(plan, result.spine, folder / "scene.mrb")
        plan = replace(plan, timings_s={**plan.timings_s, **progress.timings_s})
        write_plan(plan, folder / "plan.json", spine=result.spine)
        names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return CaseResult(plan, result.spine, tuple(out / name for name in names))
