"""The application itself, and what it does with errors."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from spinescrew import __version__
from spinescrew.cli.screen import OUT
from spinescrew.errors import SpineScrewError
from spinescrew.progress import Cancelled

app = typer.Typer(
    help="Plan and grade pedicle screws. Example: spinescrew plan ct.nii.gz --labels vertebrae.nii.gz --out case",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
phantom_app = typer.Typer(help="Make synthetic cases whose true values are known.", no_args_is_help=True)
bench_app = typer.Typer(help="Measure speed, as ratios to a reference in the same run.", no_args_is_help=True)
app.add_typer(phantom_app, name="phantom")
app.add_typer(bench_app, name="bench")
evaluate_app = typer.Typer(no_args_is_help=True, help="Measure against known answers.")
app.add_typer(evaluate_app, name="evaluate")


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    if version:
        OUT.print(__version__, highlight=False)
        raise typer.Exit
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, stream=sys.stderr)


def main() -> None:
    """Entry point: errors become one readable line and a non-zero status."""
    try:
        app()
    except SpineScrewError as error:
        _fail(str(error))
    except (Cancelled, KeyboardInterrupt):
        _fail("cancelled; nothing was written", status=130)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{where}")
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        _fail(f"unexpected {type(error).__name__}: {error}; run again as `spinescrew --debug ...` for the traceback")


def _fail(message: str, status: int = 1) -> None:
    sys.stderr.write("error: " + " ".join(message.split()) + "\n")
    sys.exit(status)
