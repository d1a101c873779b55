"""How long the planner in a browser takes from a hand that drags to the picture that shows it."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.cohort.bench_drag import WARM_UP, assessment_ms, settled_memory_mb
from spinescrew.cohort.browser_hand import HERTZ, Hand, find_chromium
from spinescrew.cohort.browser_log import Seen, pictures_per_s, single_ms, sweep_ms
from spinescrew.cohort.workshop import CaseWorkshop
from spinescrew.errors import InputError, SpineScrewError
from spinescrew.progress import Progress
from spinescrew.viewer.opened import Target

if TYPE_CHECKING:
    from spinescrew.planning.session import Session
    from spinescrew.scene.grips import Part
    from spinescrew.viewer.desk import Desk
    from spinescrew.viewer.panes import Pane

EDITS = 1000
SINGLES, SWEEP_S, GESTURE_S = 30, 6.0, 2.0
MEASURED: dict[str, tuple[str, Part]] = {"3D": ("1", "whole"), "slice": ("Red", "whole")}
"""View and handle by the name that the figures have."""

_HANDLES: tuple[tuple[str, Part], ...] = (("1", "whole"), ("Red", "whole"), ("Red", "entry"), ("Red", "tip"))
_RADIUS_PX, _LAP = 24.0, 72
_PICTURES, _LOOKS = 30, 10
_REST_S = 3.0
_PATIENCE_S = 300.0

Point = tuple[int, int]


def browser_drag_figures(progress: Progress | None = None, edits: int = EDITS) -> dict[str, Any]:
    """Median and 95th percentile in ms from a move of the mouse to the picture that shows its edit, and memory growth.

    The demo case in the planner, and Chromium on the same machine. "One event" stands alone; "dragging" is a hand that
    moves 60 times a second however far behind the pictures are, with the pictures a second that show something new in
    the view under it. The time of one assessment and of drawing the 3D view without a browser stand beside it.

    Raises
    ------
    InputError
        If there is no Chromium, or the packages of the planner or of driving a browser are missing.
    """
    executable = find_chromium()
    if find_spec("playwright") is None:
        raise InputError("driving a browser needs playwright; pip install playwright")
    if find_spec("trame") is None:
        raise InputError("the planner in a browser needs trame; pip install 'spinescrew[viewer]'")
    with TemporaryDirectory() as folder:
        return asyncio.run(_figures(executable, Path(folder), edits, progress or Progress()))


async def _figures(executable: str, folder: Path, edits: int, progress: Progress) -> dict[str, Any]:
    async with _open_planner(folder, progress.part(0.0, 0.2)) as (desk, address):
        async with Hand(executable) as hand:
            await hand.ask("open", address)
            drags = Drags(desk, hand)
            figures = await _delays(drags, progress.part(0.2, 0.5))
            growth = await _memory_growth(drags, edits, progress.part(0.5, 0.95))
        assert desk.session is not None
        figures["one assessment median ms"] = assessment_ms(desk.session.plan, desk.session.spine)
        figures["one 3D picture median ms"] = _picture_ms(desk.panes.all[-1])
    for name in MEASURED:
        for other in ("one assessment", "one 3D picture"):
            figures[f"{name}, one event / {other}"] = (
                figures[f"{name}, one event median ms"] / figures[f"{other} median ms"]
            )
    return figures | growth


async def _delays(drags: Drags, progress: Progress) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    every: list[float] = []
    for n, (name, (node, part)) in enumerate(MEASURED.items()):
        progress.update(n / len(MEASURED), f"dragging in the {name} view")
        singles, sweep, rate = await drags.measure(node, part)
        for kind, found in {"one event": singles, "dragging": sweep}.items():
            figures[f"{name}, {kind} median ms"] = float(np.nanmedian(found))
            figures[f"{name}, {kind} p95 ms"] = float(np.nanpercentile(found, 95))
            every += found
        figures[f"{name}, dragging pictures/s"] = rate
    return figures | {"events": len(every), "events never seen": int(np.isnan(every).sum())}


async def _memory_growth(drags: Drags, edits: int, progress: Progress) -> dict[str, Any]:
    """What the server's process holds after a warm-up, and how much more after ``edits`` further ones."""
    stamp = drags.desk.stamp
    handles = itertools.cycle(_HANDLES)
    while stamp.revision < WARM_UP:
        await drags.gesture(*next(handles))
    first, before = stamp.revision, await _settled_memory_mb()
    while stamp.revision < first + edits:
        progress.update((stamp.revision - first) / edits, f"dragging, edit {stamp.revision - first}")
        await drags.gesture(*next(handles))
    held = await _settled_memory_mb()
    return {"edits": stamp.revision - first, "memory MB": held, "memory growth MB": held - before}


async def _settled_memory_mb() -> float:
    """Once the last pictures are out, and the work that waits for a resting hand is done."""
    await asyncio.sleep(_REST_S)
    return settled_memory_mb()


@asynccontextmanager
async def _open_planner(folder: Path, progress: Progress) -> AsyncIterator[tuple[Desk, str]]:
    """(desk with the demo case, address of the page) of a planner in this event loop; ``folder`` keeps its journal."""
    from spinescrew.viewer.app import Planner
    from spinescrew.viewer.serving import Listening

    planner = Planner(CaseWorkshop(Target()), folder, name=f"bench-{secrets.token_hex(4)}")
    state = planner.server.state
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.ensure_future(planner.serve(Listening(), ready.set_result))
    try:
        await until(lambda: ready.done() or serving.done(), "the server")
        if serving.done():
            serving.result()

        def opened() -> bool:
            progress.update(state.job_fraction / 100, "opening the demo case")
            if state.problem:
                raise SpineScrewError(state.message)
            return planner.desk is not None and planner.desk.case is not None and not state.busy

        await until(opened, "the demo case")
        assert planner.desk is not None
        planner.desk.do(_select_middle)
        yield planner.desk, await ready
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


def _select_middle(session: Session) -> None:
    """A screw with neighbours on all sides."""
    rows = session.plan.planned
    session.select(rows[len(rows) // 2].key)


def _picture_ms(pane: Pane) -> float:
    """Median time of drawing a view and reading its pixels, without encoding and sending them."""
    times = []
    for _ in range(_PICTURES):
        started = time.perf_counter()
        _ = pane.scheduler.rca.img_cols_rows
        times.append(1000 * (time.perf_counter() - started))
    return median(times)


@dataclass
class Drags:
    """Gestures of a hand on the page of a desk; each is undone when it ends."""

    desk: Desk
    hand: Hand

    async def measure(self, node: str, part: Part) -> tuple[list[float], list[float], float]:
        """(ms of single events, ms of events of a drag, pictures a second of that drag) of a handle in a view."""
        area = f"pane_{node}"
        start = await self._press(node, part)
        await self.hand.ask("take_log")
        revision = self.desk.stamp.revision
        await self.hand.ask("single", area, circle(start, SINGLES))
        singles = single_ms(await self._log(), area, revision)
        ahead = self.desk.stamp.received - await self.hand.ask("quiet")
        await self.hand.ask("take_log")
        await self.hand.ask("sweep", circle(start, round(SWEEP_S * HERTZ), SINGLES))
        log: list[Seen] = []
        for _ in range(_LOOKS):
            await self.hand.ask("quiet")
            log += await self._log()
            sweep = sweep_ms(log, area, ahead)
            if not np.isnan(sweep).any():
                break
        await self._release()
        return singles, sweep, pictures_per_s(log, area)

    async def gesture(self, node: str, part: Part) -> None:
        """Drag a handle for a while; :class:`SpineScrewError` if the hand missed it."""
        start, before = await self._press(node, part), self.desk.stamp.revision
        await self.hand.ask("sweep", circle(start, round(GESTURE_S * HERTZ)))
        await self._release()
        if self.desk.stamp.revision == before:
            raise SpineScrewError(f"the handle of the {part} was not caught in view {node}")
        await self.hand.ask("take_log")

    async def _press(self, node: str, part: Part) -> Point:
        await self.hand.ask("quiet")
        left, upper, _, height = await self.hand.ask("box", node)
        x, y = display_point(self.desk, node, part)
        start = round(left + x), round(upper + height - y)
        await self.hand.ask("press", *start)
        return start

    async def _release(self) -> None:
        session = self.desk.session
        assert session is not None
        await self.hand.ask("release")
        await until(lambda: not session.gesture, "the end of a drag")
        await self.hand.ask("key", "Control+z")
        await until(lambda: not session.history.can_undo, "the undo")

    async def _log(self) -> list[Seen]:
        return [Seen(*line) for line in await self.hand.ask("take_log")]


def circle(start: Point, count: int, first: int = 0) -> list[Point]:
    """``count`` pixels of a circle through ``start``, a few pixels from one to the next; ``first`` were done before."""
    angles = 2 * np.pi * np.arange(first + 1, first + count + 1) / _LAP
    x = start[0] + _RADIUS_PX * np.sin(angles)
    y = start[1] + _RADIUS_PX * (np.cos(angles) - 1)
    return [(round(a), round(b)) for a, b in zip(x, y, strict=True)]


def display_point(desk: Desk, node: str, part: Part) -> tuple[float, float]:
    """(x, y) in pixels from the lower left corner of a view: a handle of the screw in hand."""
    assert desk.case is not None
    grips, key = desk.case.shown.grips, desk.case.session.selected
    assert key is not None
    return desk.panes.named(node).pixel_of(grips.position(grips.numbers()[key, part]))


async def until(condition: Callable[[], bool], what: str, seconds: float = _PATIENCE_S) -> None:
    """Wait until ``condition()`` holds; :class:`SpineScrewError` if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SpineScrewError(f"waited in vain for {what}")
        await asyncio.sleep(0.05)
