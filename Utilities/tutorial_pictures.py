"""Draw the pictures of Docs/tutorial.md: the module's own panel beside Slicer's own views of the simulated case.

The panel is the real one on the stand-in of Testing/slicer_stand_in, the views are drawn by Slicer's displayable
managers; only the frame around them is not Slicer's.

Example: python Utilities/tutorial_pictures.py
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "Docs"
sys.path[:0] = [str(ROOT / "Testing" / folder) for folder in ("slicer_stand_in", "scene")]
PANEL, VIEW = (520, 1040), (500, 518)
GAP = 4


def main() -> None:
    """Play the tutorial once and draw each step."""
    import slicer
    from offscreen_views import Views
    from slicer_stand_in import open_module, register_module, running_slicer

    with running_slicer(ROOT / "SpinePlanner", slices=False), Views(slicer.mrmlScene, VIEW) as views:
        register_module("SpinePlanner", ROOT / "SpinePlanner")
        opened = open_module("SpinePlanner")
        panel = opened.widget.panel
        opened.panel.resize(*PANEL)
        play(opened.panel, panel, views)
        opened.close()


def play(window: Any, panel: Any, views: Any) -> None:
    """The steps of the tutorial."""
    import slicer

    from spinescrew.anatomy.levels import Level

    ui = panel.ui
    ui.exampleButton.click()
    show_ct(views, ui.volumeSelector.currentNode(), ui.labelSelector.currentNode())
    only(ui, "caseSection", "levelsSection", "planSection")
    ui.levelsSection.collapsed = False
    ui.readLevelsButton.click()
    picture(window, views, "tutorial-1-case.png")

    ui.levelsEdit.text = "L1-S1"
    ui.planButton.click()
    wait(lambda: ui.progressBar.value > 40)
    picture(window, views, "tutorial-2-planning.png")
    wait(lambda: not panel.busy)

    only(ui, "adjustSection", "reviewSection")
    key = (Level.L4, "right")
    panel.case.session.select(key)
    centre = panel.case.session.spine.vertebrae[Level.L3].frame.origin
    box = np.column_stack([centre - (55, 55, 75), centre + (55, 35, 60)]).ravel()
    views.three_d.fit(box)
    views.three_d.look_from((0.55, -1.0, 0.35))
    for view in views.slices.values():
        view.node.SetFieldOfView(90, 90 * VIEW[1] / VIEW[0], 1)
    picture(window, views, "tutorial-3-plan.png")

    ui.automaticCheck.click()
    screw = panel.case.session.plan.get(*key).screw
    start = np.array(views.slices["Green"].ras_to_display(screw.entry + 0.4 * screw.shape.length_mm * screw.direction))
    views.slices["Green"].drag(tuple(start), tuple(start + (-36, 4)))
    wait_a_little(0.9)
    picture(window, views, "tutorial-4-breach.png")

    ui.undoButton.click()
    ui.automaticCheck.click()
    ui.ptaSlider.value = ui.ptaSlider.value + 4
    ui.reviewedCheck.click()
    only(ui, "reviewSection", "exportSection")
    wait_a_little(0.9)
    picture(window, views, "tutorial-5-review.png")
    assert slicer.mrmlScene.GetNumberOfNodes() > 40


def show_ct(views: Any, volume: Any, segmentation: Any) -> None:
    """CT in the slices with a bone window, the spine in 3D."""
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(1500, 300)
    segmentation.GetDisplayNode().SetOpacity3D(1.0)
    segmentation.GetDisplayNode().SetOpacity2DFill(0.15)
    for view in views.slices.values():
        view.set_background(volume)
        view.reset_camera()
    views.render()
    views.three_d.reset_camera()
    views.three_d.look_from((0.55, -1.0, 0.35))
    views.three_d.reset_camera()


def only(ui: Any, *names: str) -> None:
    """These sections open, the others closed."""
    for name, widget in vars(ui).items():
        if name.endswith("Section"):
            widget.collapsed = name not in names


def wait(until: Any, seconds: float = 120) -> None:
    """Let the event loop run until that is so."""
    import slicer

    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            raise TimeoutError("a step of the tutorial did not come about")
        slicer.app.processEvents()
        time.sleep(0.01)


def wait_a_little(seconds: float) -> None:
    """Let frames and timers come."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end)


def picture(window: Any, views: Any, name: str) -> None:
    """Panel left, views right: Red and 3D above, Yellow and Green below, as in Slicer's Four-Up layout."""
    wait_a_little(0.1)
    four_up(window, views, PANEL, VIEW).quantize(200).save(DOCS / name, optimize=True)


def four_up(window: Any, views: Any, panel: tuple[int, int], view: tuple[int, int]) -> Image.Image:
    """A panel and its views, of these sizes in pixels."""
    views.render()
    shown = (views.slices["Red"], views.three_d, views.slices["Green"], views.slices["Yellow"])
    pictures = [each.picture() for each in shown]
    width, height = view
    canvas = Image.new("RGB", (panel[0] + 2 * (width + GAP), 2 * height + GAP), "#222")
    canvas.paste(grab(window, panel).crop((0, 0, panel[0], canvas.height)), (0, 0))
    for number, array in enumerate(pictures):
        corner = (panel[0] + GAP + (number % 2) * (width + GAP), (number // 2) * (height + GAP))
        canvas.paste(Image.fromarray(np.asarray(array)[..., :3].astype(np.uint8)), corner)
    return canvas


def grab(window: Any, size: tuple[int, int]) -> Image.Image:
    """The panel as it looks now."""
    import io

    import qt

    window.show()
    window.resize(*size)
    wait_a_little(0.05)
    data = qt.QByteArray()
    buffer = qt.QBuffer(data)
    buffer.open(qt.QIODevice.WriteOnly)
    window.grab().save(buffer, "PNG")
    return Image.open(io.BytesIO(bytes(data.data()))).convert("RGB")


if __name__ == "__main__":
    main()
