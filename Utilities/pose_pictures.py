"""Draw Docs/pose-module.png: the panel of Screw Pose beside Slicer's own views of two simulated radiographs.

As in tutorial_pictures.py the panel is the real one on the stand-in of Testing/slicer_stand_in, and the views are
drawn by Slicer's displayable managers; only the frame around them is not Slicer's.

Example: python Utilities/pose_pictures.py
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "Testing" / folder) for folder in ("slicer_stand_in", "scene")]

from tutorial_pictures import DOCS, GAP, grab, wait, wait_a_little  # noqa: E402

PANEL, IMAGE, ROOM = (560, 1240), (618, 618), (700, 1240)
MODULE = ROOT / "ScrewPose"


def main() -> None:
    """Find the screws of the example, take one in hand, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DOCS / "pose-module.png")
    out = parser.parse_args().out
    import slicer
    from offscreen_views import Views
    from slicer_stand_in import open_module, register_module, running_slicer

    with (
        running_slicer(MODULE, ROOT / "SpinePlanner", slices=False),
        Views(slicer.mrmlScene, IMAGE) as views,
    ):
        register_module("ScrewPose", MODULE)
        opened = open_module("ScrewPose")
        panel = opened.widget.panel
        solve(panel)
        draw(opened.panel, panel, views, out)
        opened.close()


def solve(panel: Any) -> None:
    """The example, solved as a user does it."""
    panel.ui.exampleButton.click()
    wait(lambda: not panel.busy, 600)
    panel.ui.runButton.click()
    wait(lambda: not panel.busy, 600)
    if panel.session is None:
        raise SystemExit(panel.ui.statusLabel.text)


def draw(window: Any, panel: Any, views: Any, path: Path) -> None:
    """Panel left, the images above each other, the 3D view right, as the module arranges them."""
    panel.ui.screwsTable.selectRow(1)
    wait_a_little(0.6)
    for part in (views.three_d.window, views.three_d.interactor):
        part.SetSize(*ROOM)
    views.render()
    panel.look.lookAt(everything=False)
    canvas = Image.new("RGB", (PANEL[0] + IMAGE[0] + ROOM[0] + 2 * GAP, PANEL[1]), "#222")
    canvas.paste(grab(window, PANEL), (0, 0))
    for n, name in enumerate(("Red", "Yellow")):
        canvas.paste(Image.fromarray(views.slices[name].picture()), (PANEL[0] + GAP, n * (IMAGE[1] + GAP)))
    canvas.paste(Image.fromarray(views.three_d.picture()), (PANEL[0] + IMAGE[0] + 2 * GAP, 0))
    canvas.save(path, optimize=True)


if __name__ == "__main__":
    main()
