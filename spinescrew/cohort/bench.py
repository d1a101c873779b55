"""Speed, measured on the phantom and as ratios to a reference in the same run."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.geometry.atomic import atomic_path
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume
from spinescrew.grading.grade import assess, execution_risk
from spinescrew.grading.options import GradingOptions
from spinescrew.grading.shaft import shaft_points
from spinescrew.phantoms import make_spine_phantom
from spinescrew.planning.planner import plan_spine
from spinescrew.progress import Progress

Figures = dict[str, Any]

_SEED = 7
_LARGE = (512, 512, 400)


def grading_figures(progress: Progress | None = None) -> Figures:
    """One assessment, the same surface points through ``vtkImplicitPolyDataDistance``, and 500 Monte Carlo draws."""
    progress = progress or Progress()
    progress.update(0.0, "making the phantom")
    phantom = make_spine_phantom(_SEED)
    spine = build_spine(phantom.labels, phantom.ct, (Level.L3,))
    row = plan_spine(spine, (Level.L3,)).planned[0]
    assert row.screw is not None
    screw, side = row.screw, row.side
    options = GradingOptions()
    progress.update(0.4, "timing assessments")
    ours = _times(lambda: assess(screw, spine, Level.L3, side), 300)
    progress.update(0.6, "timing Monte Carlo")
    draws = _times(lambda: execution_risk(screw, spine, Level.L3, side, draws=500), 3)
    progress.update(0.7, "timing VTK on the same points")
    vertebra = spine.vertebrae[Level.L3]
    points = shaft_points(screw, options, vertebra.frame, side).reshape(-1, 3)
    distance = _vtk_distance(vertebra.bone)
    theirs = _times(lambda: distance(points), 5)
    progress.update(1.0, "done")
    return {
        "angles": options.angles,
        "step mm": options.step_mm,
        "surface points": len(points),
        "assessment median ms": 1e3 * median(ours),
        "assessment p95 ms": 1e3 * float(np.percentile(ours, 95)),
        "vtkImplicitPolyDataDistance ms": 1e3 * median(theirs),
        "times faster than VTK": median(theirs) / median(ours),
        "500 Monte Carlo draws s": median(draws),
    }


def planning_figures(progress: Progress | None = None) -> Figures:
    """Planning of L1-S1 on the phantom, and a child process's peak memory with a CT of 512 x 512 x 400."""
    progress = progress or Progress()
    progress.update(0.0, "making the phantom")
    phantom = make_spine_phantom(_SEED)
    levels = parse_levels("L1-S1")
    warm = build_spine(phantom.labels, phantom.ct, (Level.L3,))
    plan_spine(warm, (Level.L3,))
    progress.update(0.4, "planning")
    began = time.perf_counter()
    spine = build_spine(phantom.labels, phantom.ct, levels)
    measured = time.perf_counter()
    plan = plan_spine(spine, levels)
    ended = time.perf_counter()
    progress.update(0.6, "measuring the memory of a large case")
    peak = _child_peak_mb()
    progress.update(1.0, "done")
    screws = max(len(plan.planned), 1)
    return {
        "screws": len(plan.planned),
        "whole case s": ended - began,
        "s per screw, with measuring the vertebrae": (ended - began) / screws,
        "s per screw, planning alone": (ended - measured) / screws,
        "peak memory MB, 512 x 512 x 400 CT": peak,
    }


def write_figures(figures: Figures, path: Path) -> None:
    """Write the figures as JSON."""
    with atomic_path(path) as temporary:
        Path(temporary).write_text(json.dumps(figures, indent=1), encoding="utf-8")


def large_case_peak_mb() -> float:
    """Peak memory of this process in MB after planning L1-S1 of the phantom inside a CT of 512 x 512 x 400."""
    phantom = make_spine_phantom(_SEED)
    ct, labels = _embedded(phantom.ct, -1000), _embedded(phantom.labels, 0)
    del phantom
    levels = parse_levels("L1-S1")
    plan_spine(build_spine(labels, ct, levels), levels)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _embedded(volume: Volume | None, fill: int) -> Volume:
    """The volume in the corner of a larger one on the same grid."""
    assert volume is not None
    array = np.full([max(a, b) for a, b in zip(volume.shape, _LARGE, strict=True)], fill, volume.array.dtype)
    ni, nj, nk = volume.shape
    array[:ni, :nj, :nk] = volume.array
    return Volume(array, volume.affine)


def _child_peak_mb() -> float:
    code = "from spinescrew.cohort.bench import large_case_peak_mb as f; import sys; sys.stdout.write(str(f()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _times(work: Callable[[], Any], count: int) -> list[float]:
    work()
    found = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return found


def _vtk_distance(bone: SignedDistance) -> Callable[[np.ndarray], None]:
    """The reference: VTK's distance to the vertebra's surface mesh, point by point."""
    import vtk

    from spinescrew.geometry.surface import bone_surface

    function = vtk.vtkImplicitPolyDataDistance()
    function.SetInput(bone_surface(bone))

    def evaluate(points: np.ndarray) -> None:
        for point in points:
            function.EvaluateFunction(point)

    return evaluate


def memory_mb() -> float:
    """Memory that this process holds now, in MB; its peak where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        held = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(held.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
