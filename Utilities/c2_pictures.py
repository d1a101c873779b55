"""Draw Docs/c2-module.png: the panel of C2 Feasibility beside Slicer's own views of a simulated neck.

As in tutorial_pictures.py the panel is the real one on the stand-in of Testing/slicer_stand_in, and the views are
drawn by Slicer's displayable managers; only the frame around them is not Slicer's.

Example: python Utilities/c2_pictures.py
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "Testing" / folder) for folder in ("slicer_stand_in", "scene")]

from tutorial_pictures import DOCS, four_up, wait, wait_a_little  # noqa: E402

PANEL, VIEW = (560, 1350), (560, 673)
MODULE = ROOT / "C2Feasibility"


def main() -> None:
    """Judge the example, look along the pedicle that takes a screw, draw."""
    import slicer
    from offscreen_views import Views
    from slicer_stand_in import open_module, register_module, running_slicer

    with (
        running_slicer(MODULE, ROOT / "SpinePlanner", slices=False),
        Views(slicer.mrmlScene, VIEW) as views,
    ):
        register_module("C2Feasibility", MODULE)
        opened = open_module("C2Feasibility")
        panel = opened.widget.panel
        judge(panel)
        look(panel, views)
        draw(opened.panel, views, "c2-module.png")
        opened.close()


def judge(panel: Any) -> None:
    """The example, judged as a user does it."""
    panel.ui.exampleButton.click()
    panel.ui.runButton.click()
    wait(lambda: not panel.busy)
    if panel.found is None:
        raise SystemExit(panel.ui.statusLabel.text)


def look(panel: Any, views: Any) -> None:
    """Slices along the side that the screw stands in, the bone from behind and above."""
    side = next((row.side for row in panel.case.session.plan.planned), "left")
    getattr(panel.ui, f"{side}Button").click()
    for view in views.slices.values():
        view.node.SetFieldOfView(62, 62 * VIEW[1] / VIEW[0], 1)
    centre = panel.found.frame.origin
    views.three_d.fit(np.column_stack([centre - 24, centre + 24]).ravel())
    views.three_d.look_from((0.35 if side == "left" else -0.35, -1.0, 0.55))


def draw(window: Any, views: Any, name: str) -> None:
    """Panel left, views right."""
    wait_a_little(0.2)
    four_up(window, views, PANEL, VIEW).save(DOCS / name, optimize=True)


if __name__ == "__main__":
    main()
