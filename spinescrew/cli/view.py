"""The command that opens the planner in a browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from spinescrew.cli.app import app
from spinescrew.cli.options import EngineOption, SeriesOption, TrajectoryName
from spinescrew.cli.screen import OUT
from spinescrew.errors import InputError


@app.command()
def view(
    target: Annotated[
        Path | None,
        typer.Argument(
            help="Case folder, plan.json, scene.mrb, CT or DICOM folder; the built-in case if left out. "
            "The folder of a C2 case needs its CT in --ct.",
            show_default=False,
        ),
    ] = None,
    other: Annotated[
        Path | None, typer.Argument(help="With --brand: the other radiograph of the patient.", show_default=False)
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="Label map, where the case does not hold one.")] = None,
    ct: Annotated[Path | None, typer.Option(help="Image of a plan.json that has no scene.mrb beside it.")] = None,
    levels: Annotated[str, typer.Option(help="For example L1-S1; all if left out.")] = "",
    trajectory: Annotated[TrajectoryName, typer.Option(help="Aim of the screws.")] = TrajectoryName.STRAIGHT_FORWARD,
    engine: EngineOption = "auto",
    series: SeriesOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on; other than loopback needs TLS or a proxy.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM file, for a host other than loopback.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of its private key.")] = None,
    behind_proxy: Annotated[bool, typer.Option("--behind-proxy", help="A proxy that speaks https stands in front.")] = (
        False
    ),
    browser: Annotated[bool, typer.Option("--browser", help="Open it in this machine's browser.")] = False,
    confirmed: Annotated[bool, typer.Option("--other-image", help="Accept another image than the plan's.")] = False,
    c2: Annotated[
        bool, typer.Option("--c2", help="Open the C2 tab and judge the C2 pedicles of this neck CT.")
    ] = False,
    pose: Annotated[
        bool, typer.Option("--pose", help="Open the pose tab; with --radiograph (twice) and --geometry solve those.")
    ] = False,
    radiograph: Annotated[
        list[Path] | None, typer.Option(help="One of two radiographs for the pose tab; give it twice.")
    ] = None,
    geometry: Annotated[Path | None, typer.Option(help="Calibration file of both, in the same order.")] = None,
    brand: Annotated[
        bool, typer.Option("--brand", help="Open the brand tab: which system do one or two radiographs show.")
    ] = False,
) -> None:
    """Open the planner in a browser.

    It prints an address with a fresh key; without that key nothing is answered. One planner is for one person: whoever
    has the address sees and moves the same plan. Ctrl-C ends it; unsaved edits are offered again the next time.

    Examples: spinescrew view demo, spinescrew view --c2 neck.nii.gz,
    spinescrew view --radiograph AP.dcm --radiograph LAT.dcm --geometry geometry.json,
    spinescrew view --brand AP.dcm LAT.dcm
    """
    from spinescrew.cohort.c2_open import is_c2_case
    from spinescrew.cohort.workshop import CaseWorkshop
    from spinescrew.planning.options import PlanningOptions
    from spinescrew.viewer.opened import BrandTarget, PoseTarget, Target
    from spinescrew.viewer.places import BRAND, C2, PLANNER, POSE

    try:
        from spinescrew.viewer.app import Planner, journal_folder
        from spinescrew.viewer.serving import Listening
    except ImportError as error:
        raise InputError(f"the planner in a browser needs {error.name}; pip install 'spinescrew[viewer]'") from error

    images = tuple(radiograph or ())
    for path in (target, other, labels, ct, *images, geometry):
        if path is not None and not path.exists():
            raise InputError(f"'{path}' does not exist; check the path")
    if other is not None and not brand:
        raise InputError(f"one case is opened at a time; '{other}' is a second one (two radiographs need --brand)")
    films = tuple(path for path in (target, other) if path is not None) if brand else ()
    target = None if brand else target
    options = PlanningOptions(trajectory=trajectory.value)
    case = target if is_c2_case(target) else None
    if case is not None and ct is None:
        raise InputError(f"'{case}' holds no image; give its neck CT with --ct")
    wanted = Target(None if case else target, labels, ct, levels, options, engine, series, confirmed, case)
    listening = Listening(host, port, tls_certificate, tls_key, behind_proxy)
    listening.check()

    def ready(address: str) -> None:
        OUT.print("The planner is open for one person at this address (Ctrl-C ends it):")
        OUT.print(address, highlight=False, soft_wrap=True)
        if browser:
            webbrowser.open(address)

    if bool(images) != (geometry is not None) or len(images) not in (0, 2):
        raise InputError("poses are solved from two radiographs: give --radiograph twice, and the --geometry of both")
    tab = BRAND if brand else C2 if c2 or case is not None else POSE if pose or images else PLANNER
    pose_target, brand_target = PoseTarget(images, geometry), BrandTarget(films)
    planner = Planner(CaseWorkshop(wanted), journal_folder(), tab=tab, pose=pose_target, brand=brand_target)
    planner.run(listening, ready)
