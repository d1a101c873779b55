"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Numbering(StrEnum):
    """How the numbers of a label map are read."""

    AUTO = "auto"
    VERSE = "verse"
    TOTALSEGMENTATOR = "totalsegmentator"
    TOTALSEGMENTATOR_V1 = "totalsegmentator-v1"
    TOTALSEGMENTATOR_V2 = "totalsegmentator-v2"


class TrajectoryName(StrEnum):
    """Which way a screw is aimed."""

    STRAIGHT_FORWARD = "straight-forward"
    ANATOMIC = "anatomic"


class StartingPoint(StrEnum):
    """What a screw is searched from; auto asks the landmark network where an engine found the vertebrae."""

    AUTO = "auto"
    GEOMETRY = "geometry"
    NETWORK = "network"


CtArgument = Annotated[Path | None, typer.Argument(help="CT file or DICOM folder; without it a mask alone is planned.")]
LabelsOption = Annotated[Path, typer.Option(help="Label map of named vertebrae.")]
FoundLabelsOption = Annotated[Path | None, typer.Option(help="Label map of named vertebrae; found if left out.")]
EngineOption = Annotated[str, typer.Option(help="What finds the vertebrae without --labels; see spinescrew engines.")]
NumberingOption = Annotated[Numbering, typer.Option(help="How its numbers are read; asks where they are ambiguous.")]
OutOption = Annotated[Path, typer.Option(help="Folder for the results; complete or untouched.")]
SeriesOption = Annotated[str | None, typer.Option(help="Which DICOM series (number or UID), where there are several.")]
TitleOption = Annotated[str, typer.Option(help="Heading of the report. No identity is written unless given here.")]
RiskOption = Annotated[bool, typer.Option("--monte-carlo", help="Also estimate grades under 1 mm, 2 degrees of error.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an --out folder that holds other files.")]

DataOption = Annotated[str, typer.Option(help="phantoms (held out), or a folder of images and labels.")]
CountOption = Annotated[int, typer.Option(help="How many phantoms.")]
PathologyOption = Annotated[str | None, typer.Option(help="Phantoms with this one alone, such as scoliosis.")]
RunsOption = Annotated[Path, typer.Option(help="Folder in which phantoms are kept.")]
RowsOption = Annotated[Path | None, typer.Option(help="Also write every row to this file.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")]
