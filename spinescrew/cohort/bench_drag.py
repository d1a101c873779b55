"""How long a scene takes from the event of a dragged handle until everything shows its grade, without drawing."""

from __future__ import annotations

import gc
import time
from typing import Any

import numpy as np

from spinescrew.anatomy.vertebra import Spine
from spinescrew.cohort.bench import memory_mb
from spinescrew.cohort.case import plan_volumes
from spinescrew.cohort.demo import DEMO_SEED
from spinescrew.phantoms import make_spine_phantom
from spinescrew.planning.plan import Plan
from spinescrew.planning.session import Session
from spinescrew.progress import Progress

EDITS, WARM_UP = 5000, 100


def drag_figures(progress: Progress | None = None, edits: int = EDITS) -> dict[str, Any]:
    """Median and 95th percentile in ms of drags of entry, tip and whole screw in the demo case, and memory growth.

    Every event goes the whole way: markup moved, edit, grade, neighbours, pose, colour, breach spot, labels, table and
    three aligned slice nodes. The time of one assessment in the same run stands beside it, and the ratio of both.
    """
    import slicer

    from spinescrew.scene.aligned_slices import AlignedSlices
    from spinescrew.scene.plan_scene import PlanScene
    from spinescrew.scene.standalone import full_scene

    progress = progress or Progress()
    phantom = make_spine_phantom(DEMO_SEED, progress=progress.part(0.0, 0.2))
    case = plan_volumes(phantom.labels, phantom.ct, progress=progress.part(0.2, 0.4))
    with full_scene() as scene:
        shown = PlanScene(scene, Session(case.plan, case.spine))
        slices = [scene.AddNewNodeByClass("vtkMRMLSliceNode") for _ in range(3)]
        shown.watch_slices(AlignedSlices(slices))
        times: dict[str, list[float]] = {"entry": [], "tip": [], "whole screw": []}
        events = slicer.vtkMRMLMarkupsNode
        keys = [row.key for row in case.plan.planned]
        memory = []
        for n in range(edits + WARM_UP):
            part = tuple(times)[(n // 50) % 3]
            key = keys[(n // 150) % len(keys)]
            node, number, point = _handle(shown, key, part)
            if n % 50 == 0:
                node.GetDisplayNode().SetActiveControlPoint(number)
                display = node.GetDisplayNode()
                display.SetActiveComponent(display.ComponentControlPoint, number, "")
                node.InvokeEvent(events.PointStartInteractionEvent)
                memory.append(settled_memory_mb()) if n > WARM_UP and n % 500 == 0 else None
                home = point
            target = home + 3.0 * np.sin(np.array([n / 7.0, n / 11.0, n / 13.0]))
            started = time.perf_counter()
            node.SetNthControlPointPositionWorld(number, *target)
            if n >= WARM_UP:
                times[part].append(1000 * (time.perf_counter() - started))
            if n % 50 == 49:
                node.InvokeEvent(events.PointEndInteractionEvent)
                shown.session.undo()
            if n % 100 == 0:
                progress.update(0.4 + 0.6 * n / (edits + WARM_UP), f"dragging, event {n}")
        assessment = assessment_ms(case.plan, case.spine)
        shown.close()
    figures: dict[str, Any] = {}
    every = np.concatenate([np.array(values) for values in times.values()])
    for name, values in {"event": every, **{part: np.array(found) for part, found in times.items()}}.items():
        figures[f"{name} median ms"] = float(np.median(values))
        figures[f"{name} p95 ms"] = float(np.percentile(values, 95))
    figures["one assessment median ms"] = assessment
    figures["event / assessment"] = figures["event median ms"] / assessment
    figures["events"] = len(every)
    figures["memory growth MB"] = memory[-1] - memory[0] if len(memory) > 1 else 0.0
    return figures


def _handle(shown: Any, key: Any, part: str) -> tuple[Any, int, np.ndarray]:
    """(markups node, number of its point, where it is) of a handle."""
    number = shown.grips.numbers()[key, "whole" if part == "whole screw" else part]
    return shown.grips.node, number, shown.grips.position(number)


def assessment_ms(plan: Plan, spine: Spine) -> float:
    """Median time of grading one screw."""
    from spinescrew.grading.grade import assess

    row = plan.planned[0]
    assert row.screw is not None
    times = []
    for _ in range(200):
        started = time.perf_counter()
        assess(row.screw, spine, row.level, row.side)
        times.append(1000 * (time.perf_counter() - started))
    return float(np.median(times))


def settled_memory_mb() -> float:
    """Memory that this process holds once its garbage is gone, in MB."""
    gc.collect()
    return memory_mb()
