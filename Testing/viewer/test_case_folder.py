"""A case folder in a browser on a tablet: fingers, unsaved work, saving into the folder, cancelled work."""

import numpy as np
import pytest
from browsed import Browsed
from scene_cases import planned_case

from spinescrew.anatomy.levels import Level
from spinescrew.cohort.case import write_case
from spinescrew.exchange import read_plan
from spinescrew.viewer.opened import Target

TABLET = {"viewport": {"width": 820, "height": 1180}, "has_touch": True}
L3_RIGHT = (Level.L3, "right")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A planned case on the disk; without a report, which takes long."""
    made = tmp_path_factory.mktemp("cases") / "patient 7"
    write_case(planned_case(), made)
    return made


@pytest.fixture(scope="module")
def journals(tmp_path_factory):
    return tmp_path_factory.mktemp("journals")


def open_case(folder, journals):
    return Browsed(Target(folder), journals, **TABLET)


def ready(browsed):
    browsed.until(lambda: browsed.desk is not None and browsed.planner.server.state.opened, "the case")
    browsed.shows("#summary", "6 of 6")


def test_what_a_finger_did_is_unsaved_offered_again_and_saved(folder, journals):
    before = read_plan(folder / "plan.json").get(*L3_RIGHT).screw
    with open_case(folder, journals) as browsed:
        ready(browsed)
        assert browsed.text(".case") == "patient 7"
        browsed.wait(1.5)  # grades under execution error have come, which are no edit
        assert not browsed.planner.server.state.unsaved
        browsed.run(browsed.page.locator('tr[data-key="L3 right"]').tap())
        browsed.shows("#hand-title", "L3 right")
        finger(browsed, "Red", browsed.grip(L3_RIGHT, "whole"), (25, 0))
        browsed.shows(".unsaved", "unsaved")
        browsed.until(lambda: browsed.session.history.can_undo, "the edit")
        moved = browsed.session.plan.get(*L3_RIGHT).screw.entry
        assert np.linalg.norm(moved - before.entry) > 2.0
        panel, views = (browsed.run(browsed.page.locator(name).bounding_box()) for name in (".panel", ".views"))
        assert panel["y"] >= views["y"] + views["height"] - 1  # one below the other
        assert browsed.harmful() == []
    assert np.allclose(read_plan(folder / "plan.json").get(*L3_RIGHT).screw.entry, before.entry)
    with open_case(folder, journals) as browsed:
        ready(browsed)
        browsed.until(lambda: browsed.planner.server.state.recover, "the unsaved work")
        browsed.click("#recover")
        browsed.until(lambda: browsed.planner.server.state.unsaved, "the recovered work")
        assert np.allclose(browsed.session.plan.get(*L3_RIGHT).screw.entry, moved)
        browsed.wait(0.5)  # the question goes away slowly, and takes clicks while it does
        browsed.click("#save")
        browsed.shows("#waiting", "Cancel")
        browsed.click("#cancel")
        browsed.shows("#message", "Cancelled")
        assert np.allclose(read_plan(folder / "plan.json").get(*L3_RIGHT).screw.entry, before.entry)
        browsed.until(lambda: not browsed.planner.server.state.busy, "the end of the job")
        browsed.click("#save")
        browsed.shows("#message", "Saved", 240)
        assert not browsed.planner.server.state.unsaved
    assert np.allclose(read_plan(folder / "plan.json").get(*L3_RIGHT).screw.entry, moved, atol=1e-3)
    assert not list(journals.glob("*.journal"))
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]  # nothing was written beside it


def finger(browsed, node, ras, by, steps=6):
    """Touch a point of a view, move ``by`` pixels, let go."""
    x, y = browsed.point_on_page(node, ras)

    async def touch():
        devtools = await browsed.page.context.new_cdp_session(browsed.page)

        async def send(kind, points):
            await devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        import asyncio

        await send("touchStart", [{"x": x, "y": y}])
        await asyncio.sleep(0.4)
        for n in range(1, steps + 1):
            await send("touchMove", [{"x": x + by[0] * n / steps, "y": y + by[1] * n / steps}])
            await asyncio.sleep(0.2)
        await send("touchEnd", [])
        await asyncio.sleep(0.8)

    browsed.run(touch())
