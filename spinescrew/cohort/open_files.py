"""From a path to a case that can be edited: a case folder, a plan, a scene, a CT, or the built-in case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import parse_levels
from spinescrew.cohort.case import CaseInput, input_notes, load_case, plan_case, plan_volumes
from spinescrew.cohort.demo import DEMO_LEVELS, DEMO_SEED
from spinescrew.errors import InputError
from spinescrew.exchange import check_plan_matches, read_plan
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms import make_spine_phantom
from spinescrew.planning.plan import Plan
from spinescrew.progress import Progress
from spinescrew.viewer.opened import Opened, Target

PLAN, SCENE = "plan.json", "scene.mrb"


def open_target(target: Target, progress: Progress | None = None) -> Opened:
    """Read, and where there is no plan yet, plan.

    Raises
    ------
    InputError
        If something cannot be read, or a plan's image and labels are not where they can be found.
    OtherImageError
        If a plan belongs to another image and that was not confirmed.
    """
    progress = progress or Progress()
    path = target.path
    if target.built_in:
        return _demo(progress)
    if path is None or not (_is_case(path) or path.suffix.lower() in (".json", ".mrb")):
        return _planned(target, progress)
    if not path.exists():
        raise InputError(f"there is no '{path}'; check the path")
    if path.suffix.lower() == ".mrb":
        return _kept(target, None, path, progress)
    plan_file = path / PLAN if path.is_dir() else path
    return _kept(target, read_plan(plan_file), plan_file.with_name(SCENE), progress)


def _is_case(path: Path) -> bool:
    return path.is_dir() and (path / PLAN).is_file()


def _demo(progress: Progress) -> Opened:
    with progress.step("make the demo case", 0.0, 0.6) as part:
        phantom = make_spine_phantom(DEMO_SEED, progress=part)
    result = plan_volumes(phantom.labels, phantom.ct, parse_levels(DEMO_LEVELS), progress=progress.part(0.6, 1.0))
    return Opened(result.plan, result.spine, "Demo case (synthetic spine)", notes=_notes(result.plan))


def _planned(target: Target, progress: Progress) -> Opened:
    """Image and labels without a plan: found and planned."""
    ct = target.path or target.ct
    wanted = parse_levels(target.levels) if target.levels.strip() else None
    source = CaseInput(target.labels, ct, "auto", target.series, target.engine)
    result = plan_case(source, wanted, target.options, progress=progress)
    return Opened(result.plan, result.spine, (ct or target.labels or Path("case")).name, notes=_notes(result.plan))


def _kept(target: Target, plan: Plan | None, scene: Path, progress: Progress) -> Opened:
    """A plan that was made before, on the image and labels beside it or those that are given."""
    automatic = None
    if target.labels is not None:
        source = CaseInput(target.labels, target.ct, "auto", target.series)
        with progress.step("read the case", 0.0, 0.3) as part:
            labels, ct = load_case(source, part)
    elif scene.is_file():
        with progress.step("read the scene", 0.0, 0.3):
            kept, automatic, ct, labels = _read_scene(scene)
        plan = plan or kept
    else:
        raise InputError(f"there is no {SCENE} beside the plan; give its image and labels with --ct and --labels")
    assert plan is not None
    levels = tuple(dict.fromkeys(row.level for row in plan.screws))
    with progress.step("measure the vertebrae", 0.3, 1.0) as part:
        spine = build_spine(labels, ct, levels, part)
    mismatches = check_plan_matches(plan, spine, confirmed=target.confirmed)
    if mismatches:
        plan = replace(plan, screws=tuple(replace(row, assessment=None) for row in plan.screws))
    folder = scene.parent if target.path is not None and target.path.is_dir() else None
    name = (target.path or scene).resolve().name
    notes = (*mismatches, *plan.parameters.get("input_notes", input_notes(labels, ct)))
    return Opened(plan, spine, name, automatic, folder, notes)


def _read_scene(path: Path) -> tuple[Plan, Plan | None, Volume | None, Volume]:
    """(plan, automatic plan, CT, labels) of an ``.mrb`` file."""
    from spinescrew.scene.bundle import inputs_of, read_bundle
    from spinescrew.scene.standalone import full_scene

    with full_scene() as scene:
        store = read_bundle(scene, path)
        ct, labels = inputs_of(store)
        return store.read(), store.read_automatic(), ct, labels


def _notes(plan: Plan) -> tuple[str, ...]:
    return tuple(plan.parameters.get("input_notes", ()))
