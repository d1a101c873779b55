"""Draw Docs/brand-module.png: the panel of Screw Brand ID beside Slicer's own views of two simulated films.

As in tutorial_pictures.py the panel is the real one on the stand-in of Testing/slicer_stand_in, and the views are
drawn by Slicer's displayable managers; only the frame around them is not Slicer's. Where no model of systems is
installed, networks that were never trained stand in: the window can be seen, its percentages mean nothing.

Example: python Utilities/brand_pictures.py
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "Testing" / folder) for folder in ("slicer_stand_in", "scene")]

from tutorial_pictures import DOCS, GAP, grab, wait, wait_a_little  # noqa: E402

from spinescrew.brands.models import ENSEMBLE, KINDS, MERGE, VIEWS, model_name, why_none  # noqa: E402
from spinescrew.cohort.brand_demo import IMAGES  # noqa: E402
from spinescrew.implants.families import FAMILIES  # noqa: E402
from spinescrew.networks.weights import USER_FOLDER  # noqa: E402

PANEL, IMAGE = (600, 1604), (800, 800)
MODULE = ROOT / "ScrewBrandID"
NEVER_TRAINED = "nothing: weights drawn at random, only to show the windows"
STRICT = 0.0
"""Score below which untrained networks call a system unknown: one half."""


def main() -> None:
    """Ask which system the example shows, look at a screw, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DOCS / "brand-module.png")
    out = parser.parse_args().out
    import slicer
    from offscreen_views import Views
    from slicer_stand_in import open_module, register_module, running_slicer

    with (
        models_of_some_kind(),
        running_slicer(MODULE, ROOT / "SpinePlanner", slices=False),
        Views(slicer.mrmlScene, IMAGE) as views,
    ):
        register_module("ScrewBrandID", MODULE)
        opened = open_module("ScrewBrandID")
        panel = opened.widget.panel
        ask(panel)
        draw(opened.panel, panel, views, out)
        opened.close()


@contextmanager
def models_of_some_kind() -> Iterator[bool]:
    """Installed models; where there are none, untrained ones for as long as this is open. Gives whether they count."""
    if not why_none():
        yield True
        return
    sys.stderr.write("no model of systems is installed: untrained ones stand in, and their percentages mean nothing\n")
    before = os.environ.get(USER_FOLDER)
    with TemporaryDirectory() as folder:
        untrained(Path(folder))
        os.environ[USER_FOLDER] = folder
        try:
            yield False
        finally:
            os.environ.pop(USER_FOLDER)
            if before is not None:
                os.environ[USER_FOLDER] = before


def untrained(folder: Path) -> None:
    """Networks of the real kind with weights as they were drawn, and a card that says so."""
    import torch

    from spinescrew.networks import ModelCard
    from spinescrew.networks.brand_net import BrandEnsemble, BrandNet
    from spinescrew.networks.weights import save_model

    torch.manual_seed(7)
    brands = tuple(FAMILIES)
    members = [list(KINDS), *([view, f"{MERGE}-{view}"] for view in VIEWS)]
    joined = BrandEnsemble(brands, members)
    for number in range(len(members)):
        joined.fit(number, *joined.values(number)[:2], STRICT)
    models = {model_name(kind): awake(BrandNet(brands, kind)) for kind in KINDS}
    for name, model in {**models, ENSEMBLE: joined}.items():
        card = ModelCard(
            name=name, task="to be seen", version="0", created="2026-01-01", trained_on=NEVER_TRAINED,
            generator_hash="sha256:" + "0" * 64,
        )  # fmt: skip
        save_model(folder / name, model.eval(), card)


def awake(model: Any) -> Any:
    """The same network with norms that fit its own features, or nothing would come through its layers."""
    import torch

    norms = [part for part in model.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the mean of what is seen from now on
        norm.reset_running_stats()
    with torch.no_grad():
        model.train()(torch.randn(4, 3, 128, 128))
    return model.eval()


def ask(panel: Any) -> None:
    """The example, asked about as a user does it."""
    panel.ui.exampleButton.click()
    wait(lambda: not panel.busy, 900)
    panel.ui.runButton.click()
    wait(lambda: not panel.busy, 900)
    if panel.found is None:
        raise SystemExit(panel.ui.statusLabel.text)


def draw(window: Any, panel: Any, views: Any, path: Path) -> None:
    """Panel left, the films right; they stand above each other to save paper."""
    panel.files.choose(IMAGES)  # the folders that they lie in are nobody's business
    panel.ui.runButton.setFocus()
    wait_a_little(0.6)
    views.render()
    canvas = Image.new("RGB", (PANEL[0] + GAP + IMAGE[0], PANEL[1]), "#222")
    canvas.paste(grab(window, PANEL), (0, 0))
    panel.shown.look_at_images()
    for n, name in enumerate(("Red", "Yellow")):
        canvas.paste(Image.fromarray(views.slices[name].picture()), (PANEL[0] + GAP, n * (IMAGE[1] + GAP)))
    canvas.save(path, optimize=True)


if __name__ == "__main__":
    main()
