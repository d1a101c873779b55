"""Pictures of the planner in a browser for Docs: the demo case, neck, radiographs and films as a person works on them.

Example: python Utilities/browser_pictures.py --out Docs --of c2
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Testing" / "viewer"))

from brand_pictures import models_of_some_kind  # noqa: E402
from browsed import Browsed  # noqa: E402

from spinescrew.anatomy.levels import Level  # noqa: E402
from spinescrew.viewer.opened import Target  # noqa: E402

L3_LEFT = (Level.L3, "left")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "Docs")
    parser.add_argument(
        "--of", choices=("planner", "c2", "pose", "brand"), default=None, help="Which tab; all if left out."
    )
    parser.add_argument("--case", type=Path, default=None, help="A case folder; the built-in cases if left out.")
    wanted = parser.parse_args()
    for tab, take in (("planner", of_planner), ("c2", of_c2), ("pose", of_pose), ("brand", of_brand)):
        if wanted.of in (None, tab):
            with (
                models_of_some_kind() if tab == "brand" else nullcontext(),
                TemporaryDirectory() as journals,
                Browsed(Target(wanted.case), Path(journals), tab=tab) as planner,
            ):
                take(planner, wanted.out)
                for text in planner.harmful():
                    sys.stderr.write(text + "\n")


def of_planner(planner: Browsed, out: Path) -> None:
    """From opening to a screw that breaches, dark and light, and on a tablet."""
    planner.until(lambda: planner.desk is not None and planner.planner.server.state.busy, "the job")
    planner.wait(4)
    planner.screenshot(out / "browser-1-opening.png")
    planner.until(lambda: planner.planner.server.state.opened, "the case")
    planner.click('tr[data-key="L3 left"]')
    planner.shows("#hand-title", "L3 left")
    planner.wait(4)
    planner.screenshot(out / "browser-2-planned.png")
    planner.drag("Red", planner.grip(L3_LEFT, "tip"), (-70, -6))
    planner.click("#view-menu")
    planner.click("#option-ghost")
    planner.wait(1)
    planner.press("Escape")
    planner.wait(4)
    planner.screenshot(out / "browser-3-breach.png")
    planner.click("#theme")
    planner.click("#expand-1")
    planner.wait(4)
    planner.screenshot(out / "browser-4-light.png")
    planner.click("#expand-1")
    planner.click("#theme")
    planner.click("#help")
    planner.wait(2)
    planner.screenshot(out / "browser-5-keys.png")
    planner.press("Escape")
    planner.run(planner.page.set_viewport_size({"width": 820, "height": 1180}))
    planner.wait(4)
    planner.screenshot(out / "browser-6-tablet.png")


def of_c2(planner: Browsed, out: Path) -> None:
    """The answer for both pedicles, with where the network looked."""
    planner.until(lambda: planner.planner.server.state.opened, "the answer", 600)
    planner.wait(4)
    planner.screenshot(out / "c2-browser.png")
    planner.click("#theme")
    planner.click("#c2-left" if planner.planner.server.state.c2_side == "right" else "#c2-right")
    planner.wait(4)
    planner.screenshot(out / "c2-browser-light.png")


def of_pose(planner: Browsed, out: Path) -> None:
    """Screws found in both images, and how these were taken."""
    planner.until(lambda: planner.planner.server.state.opened, "the screws", 900)
    planner.click('tr[data-screw="2"]')
    planner.wait(4)
    planner.screenshot(out / "pose-browser.png")
    planner.click("#pose-room")
    planner.click("#theme")
    planner.wait(4)
    planner.screenshot(out / "pose-browser-room.png")


def of_brand(planner: Browsed, out: Path) -> None:
    """The answer with both films, and one screw with where a model looked."""
    planner.until(lambda: planner.planner.server.state.opened, "the answer", 900)
    planner.wait(4)
    planner.screenshot(out / "brand-browser.png")
    planner.run(planner.page.locator(".brand-crop").last.click())
    planner.click("#theme")
    planner.wait(4)
    planner.screenshot(out / "brand-browser-screw.png")


if __name__ == "__main__":
    main()
