"""The card on which the files of a tab are chosen or dropped, and the button that runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from trame.widgets import html
from trame.widgets import vuetify3 as v

IMAGE_ENDINGS = ".dcm,.png,.jpg,.jpeg,.tif,.tiff"
DICOM = "application/dicom"


def run_button(name: str, click: Callable[[], object]) -> None:
    """Runs the tab; not while something else runs."""
    v.VBtn("Run", size="small", variant="flat", color="primary", disabled=("busy",), id=name, click=click)


def ask_to_run(tab: str, ready: str, nothing: str, click: Callable[[], object]) -> None:
    """What stands over the empty views of a tab: the button that runs it, or why there is no result.

    Parameters
    ----------
    ready:
        JavaScript: whether files were chosen.
    nothing:
        What is said where none were.
    """
    with html.Div(classes="waiting alone", v_if=f"!busy && !opened && tab === '{tab}'"):
        said = f"{{{{ message || ({ready} ? 'Ready' : '{nothing}') }}}}"
        html.Div(said, classes="job", id=f"{tab}-asked")
        run_button(f"{tab}-run", click)


@contextmanager
def file_card(tab: str, said: str, files: Sequence[tuple[str, str]], endings: str) -> Iterator[None]:
    """Files are chosen one by one, or dropped on the card together; the page's trigger ``<tab>_file`` takes them.

    Parameters
    ----------
    files:
        (place, label) of each; the state's ``<tab>_files`` has their names.
    endings:
        That the browser offers.
    """
    take = f"[...{{}}].forEach((file) => trigger('{tab}_file', ['{{}}', file]))"
    drop = f'@drop.prevent="{take.format("$event.dataTransfer.files", "")}"'
    with html.Div(classes="card", id=f"{tab}-files", raw_attrs=["@dragover.prevent", drop]):
        html.Div(said, classes="quiet")
        for place, label in files:
            name = f"{tab}-{place}"
            heard = f'@change="{take.format("$event.target.files", place)}; $event.target.value = null"'
            with html.Div(classes="pose-file"):
                html.Label(label, raw_attrs=[f'for="{name}"'])
                html.Span(f"{{{{ {tab}_files.{place} || '–' }}}}", classes="pose-name", id=f"{name}-name")
                with html.Label(classes="pose-browse"):
                    html.Span("Browse")
                    html.Input(type="file", id=name, raw_attrs=[f'accept="{endings}"', heard])
        yield
