"""The command that says which system of pedicle screws radiographs show, and the one that simulates such films."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from spinescrew.cli.app import app, phantom_app
from spinescrew.cli.options import ForceOption, OutOption, TitleOption
from spinescrew.cli.screen import OUT, bar

if TYPE_CHECKING:
    from spinescrew.cohort.brand import BrandCase


@app.command()
def brand(
    first: Annotated[Path, typer.Argument(help="A radiograph, such as AP: DICOM, PNG, JPEG or TIFF.")],
    out: OutOption,
    second: Annotated[Path | None, typer.Argument(help="The other view of the same patient.")] = None,
    ensemble: Annotated[
        str, typer.Option(help="Models to join, such as ap+lat; all that can answer if left out.")
    ] = "",
    unlock: Annotated[
        bool, typer.Option("--unlock-names", help="Show names of a folder though models saw simulated images, too.")
    ] = False,
    title: TitleOption = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    force: ForceOption = False,
) -> None:
    """Say which system of pedicle screws one or two radiographs show.

    Example: spinescrew brand AP.dcm LAT.dcm --out brand
    """
    from spinescrew.cohort.brand import identify_case

    images = [path for path in (first, second) if path is not None]
    members = tuple(part for part in ensemble.lower().replace(" ", "").split("+") if part)
    with bar() as progress:
        case = identify_case(
            images, out, members=members, unlocked=unlock, title=title, device=device, force=force, progress=progress
        )
    show_brand(case)


def show_brand(case: BrandCase) -> None:
    """What to doubt, the answer, every system by model, the files and the step times."""
    from spinescrew.brands.models import member_words
    from spinescrew.feasibility.wording import percent

    result = case.result
    for text in result.warnings:
        OUT.print(f"please check: {text}", highlight=False, soft_wrap=True, markup=False, style="yellow")
    table = Table(title=result.headline, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    columns = ("system", "probability", *(member_words(member) for member in result.answers))
    for name in columns:
        table.add_column(name, justify="left" if name == "system" else "right", no_wrap=True)
    order = (-result.probabilities[: len(result.brands)]).argsort(kind="stable")
    for n in order:
        shares = (result.probabilities[n], *(own.probabilities[n] for own in result.answers.values()))
        table.add_row(result.name(result.brands[n]), *(f"{percent(float(p))} %" for p in shares))
    OUT.print(table)
    for text in (f"{result.agreement_words}.", result.names_words, f"{result.provenance}."):
        if text:
            OUT.print(text, highlight=False, soft_wrap=True, markup=False)
    for path in case.files:
        OUT.print(str(path), highlight=False, soft_wrap=True, markup=False)
    seconds = "  ".join(f"{name} {value:.1f} s" for name, value in (result.seconds or {}).items())
    OUT.print(seconds, style="dim")


@phantom_app.command("brand")
def phantom_brand(
    out: Annotated[Path, typer.Option(help="Folder that gets a folder for each family.")],
    family: Annotated[
        list[str] | None, typer.Option(help="Design families; repeat for more; the seven if left out.")
    ] = None,
    count: Annotated[int, typer.Option(help="Patients of each family.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Of the first patient's spine.")] = 60_000,
) -> None:
    """Simulate films (AP and lateral, DICOM) of patients with screws of design families, sorted by family.

    Example: spinescrew phantom brand --out films --family "unknown family 1" --count 20
    """
    from spinescrew.cohort.brand_phantoms import write_films

    with bar() as progress:
        files = write_films(out, family or (), count, seed, progress)
    OUT.print(f"{len(files)} files in {out}", highlight=False, soft_wrap=True)
