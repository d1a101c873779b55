"""The planner in a real browser: server and Chromium in one event loop, so that a test sees both sides."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spinescrew.cohort.browser_hand import FLAGS, VIEWPORT, find_chromium
from spinescrew.cohort.workshop import CaseWorkshop
from spinescrew.errors import InputError
from spinescrew.viewer.app import Planner
from spinescrew.viewer.errands import Workshop
from spinescrew.viewer.opened import Target
from spinescrew.viewer.places import C2, PLANNER
from spinescrew.viewer.serving import Listening

HARMLESS = ("/paraview/",)  # trame's client asks for a launcher first; there is none
PATIENCE_S = 600
_numbers = itertools.count()


def chromium():
    """Path of the browser; where it must be there (SPINESCREW_REQUIRE_BROWSER) its lack fails, else it skips."""
    try:
        return find_chromium()
    except InputError as error:
        if os.environ.get("SPINESCREW_REQUIRE_BROWSER"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def differs(before: np.ndarray, after: np.ndarray) -> float:
    """Share of pixels that changed visibly."""
    return float((np.abs(before - after).max(axis=2) > 25).mean())


class Browsed:
    """A planner, and a page that shows it."""

    def __init__(
        self, target: Target, journals: Path | None = None, workshop: Workshop | None = None, tab: str = PLANNER, **page
    ) -> None:
        self.executable = chromium()
        self.workshop, self.journals, self.tab = workshop or CaseWorkshop(target), journals, tab
        self.options = page or {"viewport": VIEWPORT}
        self.loop = asyncio.new_event_loop()
        self.troubles: list[str] = []

    def __enter__(self) -> Browsed:
        asyncio.set_event_loop(self.loop)
        self.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stop())
        self.loop.close()
        asyncio.set_event_loop(None)

    def run(self, work):
        """The result of a coroutine; server and browser go on meanwhile."""
        return self.loop.run_until_complete(work)

    def wait(self, seconds: float) -> None:
        """Let both go on."""
        self.run(asyncio.sleep(seconds))

    async def _start(self) -> None:
        from playwright.async_api import async_playwright

        self.planner = Planner(self.workshop, self.journals, name=f"test{next(_numbers)}", tab=self.tab)
        ready = self.loop.create_future()
        self.serving = self.loop.create_task(self.planner.serve(Listening(), ready.set_result))
        self.address = await ready
        self.playwright = await async_playwright().start()
        self.chromium = await self.playwright.chromium.launch(executable_path=self.executable, args=FLAGS)
        self.page = await self._new_page()
        await self.page.goto(self.address)

    async def _new_page(self):
        page = await (await self.chromium.new_context(**self.options)).new_page()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on(
            "console",
            lambda told: (
                self.troubles.append(f"{told.text} {told.location.get('url', '')}") if told.type == "error" else None
            ),
        )
        return page

    async def _stop(self) -> None:
        await self.chromium.close()
        await self.playwright.stop()
        self.serving.cancel()
        with suppress(asyncio.CancelledError):
            await self.serving

    @property
    def desk(self):
        """What lies in the tab that is in front."""
        return self.planner.c2_desk if self.planner.server.state.tab == C2 else self.planner.desk

    @property
    def session(self):
        return self.desk.session

    def until(self, condition, what: str, seconds: float = PATIENCE_S):
        """Wait until ``condition()`` of server or page holds; returns what it gave."""
        end = self.loop.time() + seconds
        while not (found := condition()) and self.loop.time() < end:
            self.wait(0.1)
        if found:
            return found
        state = self.planner.server.state
        raise AssertionError(f"waited in vain for {what}; message: {state.message!r}, job: {state.job_text!r}")

    def shows(self, selector: str, text: str, seconds: float = 20) -> None:
        """Wait until an element of the page holds ``text``."""
        from playwright.async_api import expect

        self.run(expect(self.page.locator(selector)).to_contain_text(text, timeout=1000 * seconds))

    def holds(self, selector: str, value: str, seconds: float = 20) -> None:
        """Wait until a field of the page holds ``value``."""
        from playwright.async_api import expect

        self.run(expect(self.page.locator(selector)).to_have_value(value, timeout=1000 * seconds))

    def text(self, selector: str) -> str:
        return self.run(self.page.locator(selector).inner_text())

    def click(self, selector: str) -> None:
        self.run(self.page.locator(selector).click())

    def type(self, selector: str, value) -> None:
        """Type into a field and press Enter."""
        field = self.page.locator(selector)
        self.run(field.fill(str(value)))
        self.run(field.press("Enter"))

    def press(self, key: str) -> None:
        self.run(self.page.keyboard.press(key))

    def dismiss(self) -> None:
        """Close the menu or dialog in front; one that is still opening does not listen yet."""
        self.until(self._dismissed, "the closed dialog")

    def _dismissed(self) -> bool:
        self.press("Escape")
        self.wait(0.3)
        return not self.run(self.page.locator(".v-overlay--active:not(.v-tooltip)").count())

    def picture(self, node: str) -> np.ndarray:
        """What a view shows on the page once it rests, (height, width, 3)."""
        self.wait(1.0)
        return self.glance(node)

    def glance(self, node: str) -> np.ndarray:
        """What a view shows on the page at this moment, (height, width, 3)."""
        data = self.run(self.page.locator(f"#pane-{node}").screenshot())
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)

    def redrawn(self, node: str, before: np.ndarray, share: float) -> None:
        """Wait until more than ``share`` of a view's pixels differ visibly from ``before``."""
        self.until(lambda: differs(before, self.picture(node)) > share, f"another picture in {node}", 60)

    def fitted(self, node: str) -> dict[str, float]:
        """Width and height of a view on the page once it is drawn in them; until then 0."""
        box = self.run(self.page.locator(f"#pane-{node}").bounding_box())
        drawn = self.desk.panes.named(node).view.render_window().GetSize()
        fit = list(drawn) == pytest.approx([box["width"], box["height"]], abs=2)
        return {name: box[name] if fit else 0.0 for name in ("width", "height")}

    def screenshot(self, path: Path) -> None:
        self.wait(1.0)
        self.run(self.page.screenshot(path=path))

    def point_on_page(self, node: str, ras) -> tuple[float, float]:
        """(x, y) on the page of a RAS point in a view."""
        x, y = self.desk.panes.named(node).pixel_of(ras)
        box = self.run(self.page.locator(f"#pane-{node}").bounding_box())
        return box["x"] + x, box["y"] + box["height"] - y

    def grip(self, key, part: str):
        """(3,) RAS of a handle."""
        grips = self.desk.case.shown.grips
        return grips.position(grips.numbers()[key, part])

    def drag(self, node: str, ras, by: tuple[float, float], steps: int = 8) -> None:
        """Press the mouse on a point of a view, move it ``by`` pixels (right, down), release it."""
        x, y = self.point_on_page(node, ras)
        mouse = self.page.mouse

        async def hand():
            await mouse.move(x - 3, y)
            await mouse.move(x, y)
            await asyncio.sleep(0.5)
            await mouse.down()
            await asyncio.sleep(0.2)
            for n in range(1, steps + 1):
                await mouse.move(x + by[0] * n / steps, y + by[1] * n / steps)
                await asyncio.sleep(0.12)
            await mouse.up()
            await asyncio.sleep(0.5)

        self.run(hand())

    def harmful(self) -> list[str]:
        """Errors of the page's console that nobody has named."""
        return [text for text in self.troubles if not any(name in text for name in HARMLESS)]
