"""How long a corrected vertebra takes until its grades stand again."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from spinescrew.anatomy.build import build_spine
from spinescrew.cohort.case import plan_volumes
from spinescrew.cohort.demo import DEMO_SEED
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms import make_spine_phantom
from spinescrew.progress import Progress

STROKES = 12
_BRUSH_MM = 4.0
_FRAME_S = 1 / 60


def correction_figures(progress: Progress | None = None, strokes: int = STROKES) -> dict[str, Any]:
    """Median and longest time in s from the end of a brush stroke until every grade is made again, without drawing.

    A stroke takes a ball of 4 mm out of a pedicle of the demo case, through the segmentation node as the Segment Editor
    does it; every second stroke gives it back. The next frame and the wait for the hand to rest are part of the time.
    Measuring the whole spine anew in the same run stands beside it, and the ratio of both.
    """
    from spinescrew.scene.host import FrameHost
    from spinescrew.scene.open_case import OpenCase
    from spinescrew.scene.segmentation_watch import REST_S
    from spinescrew.scene.standalone import full_scene
    from spinescrew.scene.volumes import add_segmentation, segments_by_level, write_segment

    progress = progress or Progress()
    phantom = make_spine_phantom(DEMO_SEED, progress=progress.part(0.0, 0.2))
    case = plan_volumes(phantom.labels, phantom.ct, progress=progress.part(0.2, 0.5))
    times = []
    with full_scene() as scene:
        host = FrameHost()
        node = add_segmentation(scene, case.spine.labels, "Vertebrae")
        opened = OpenCase(scene, case.plan, case.spine, labels_node=node, host=host)
        segments = segments_by_level(node)
        levels = [level for level, vertebra in case.spine.vertebrae.items() if vertebra.pedicles]
        for n in range(strokes):
            progress.update(0.5 + 0.4 * n / strokes, f"stroke {n + 1}")
            level = levels[n // 2 % len(levels)]
            mask = case.spine.labels.with_array((case.spine.labels.array == level.value).astype(np.uint8))
            if n % 2 == 0:
                mask = _without_ball(mask, next(iter(case.spine.vertebrae[level].pedicles.values())).isthmus)
            write_segment(node, segments[level], mask)
            started = time.perf_counter()
            host.frame()
            host.run_later()
            times.append(_FRAME_S + time.perf_counter() - started + REST_S)
            assert not opened.session.stale
        opened.close()
    started = time.perf_counter()
    build_spine(case.spine.labels, case.spine.ct)
    whole = time.perf_counter() - started
    return {
        "stroke to grades median s": float(np.median(times[1:])),
        "stroke to grades longest s": float(np.max(times[1:])),
        "the first stroke s": times[0],
        "whole spine s": whole,
        "stroke / whole spine": float(np.median(times[1:])) / whole,
    }


def _without_ball(mask: Volume, centre: np.ndarray) -> Volume:
    index = np.stack(np.meshgrid(*map(np.arange, mask.shape), indexing="ij"), axis=-1)
    inside = np.linalg.norm(mask.index_to_ras(index) - centre, axis=-1) < _BRUSH_MM
    return mask.with_array(np.where(inside, 0, mask.array).astype(np.uint8))
