"""The brand tab's part of the page: films, the answer, every system with its picture, crops, attention."""

from __future__ import annotations

from collections.abc import Callable

from trame.widgets import html
from trame.widgets import vuetify3 as v

from spinescrew.viewer.file_card import DICOM, IMAGE_ENDINGS, ask_to_run, file_card, run_button
from spinescrew.viewer.places import BRAND
from spinescrew.viewer.widgets import Handlers, check, choice

ENDINGS = f"{IMAGE_ENDINGS},{DICOM}"
WANTED = "Drop one or two radiographs of a patient here, in any order, or choose them"
FILES = (("first", "One view"), ("second", "Other view"))
CHOSEN = "(brand.systems.find(row => row.number === brand_system) ?? {})"
"""JavaScript: the system whose picture is looked at."""

UNLOCK = "Show the names of my folder: I know that they are no finding on a real patient"


def build_brand_panel(calls: Handlers) -> None:
    """Everything of the tab."""
    with v.Template(v_if=f"tab === '{BRAND}'"):
        html.Div("{{ brand.banner || brand_installed }}", classes="c2-warning", id="brand-warning")
        _files(calls)
        with v.Template(v_if="opened"):
            _doubts()
            _answer(calls)
            _reference()
            _crops(calls)
            _looks(calls)


def ask_for_brand(calls: Handlers) -> None:
    """What stands over the empty views: the button that runs it, or why there is no answer."""
    ready = "brand_files.first || brand_files.second"
    ask_to_run(BRAND, ready, "No films were chosen: Run shows two simulated ones", _run(calls))


def _run(calls: Handlers) -> Callable[[], object]:
    return lambda: calls.jobs.begin(calls.brand.identify())


def _files(calls: Handlers) -> None:
    with file_card(BRAND, WANTED, FILES, ENDINGS), html.Div(classes="row buttons"):
        run_button("brand-again", _run(calls))
        v.VBtn(
            "One view only",
            size="x-small",
            variant="outlined",
            id="brand-drop",
            disabled=("!brand_files.second",),
            click=lambda: calls.brand.drop("second"),
        )
        v.VBtn("Example", size="x-small", variant="outlined", id="brand-forget", click=lambda: calls.brand.forget())


def _doubts() -> None:
    with html.Div(classes="card", v_if="notes.length", id="brand-doubts", raw_attrs=['role="alert"']):
        html.Div("{{ note }}", v_for="note in notes", key="note", classes="note")


def _answer(calls: Handlers) -> None:
    with html.Div(classes="card", id="brand-answer"):
        html.Div(
            "{{ brand.headline }}",
            classes="brand-headline",
            id="brand-headline",
            style=("`background: ${brand.colour}; color: ${brand.ink}`",),
        )
        html.Div("{{ brand.said }}", classes="quiet", id="brand-said")
        with html.Div(classes="fact", v_for="own in brand.views", key="own.name"):
            html.Span("{{ own.name }}", classes="quiet")
            html.Span("{{ own.said }}")
        _systems()
        with html.Div(v_if="brand.lockable", classes="row"):
            check(
                "brand-unlock",
                "brand.unlocked",
                (lambda on: calls.brand_controls.unlock(on), "[$event.target.checked]"),
                UNLOCK,
                "busy",
            )


def _systems() -> None:
    with html.Table(classes="screws brand-table"):
        with html.Thead(), html.Tr():
            html.Th("")
            html.Th("System")
            html.Th("Joined", title="all models that answer, joined by logistic regression")
            html.Th("{{ name }}", v_for="name in brand.columns", key="name", title=("`the ${name} model alone`",))
        with html.Tbody():
            with html.Tr(
                v_for="row in brand.systems",
                key="row.number",
                click="brand_system = row.number",
                raw_attrs=[':class="{selected: row.number === brand_system}"', ':data-system="row.name"'],
            ):
                with html.Td(classes="key"):
                    html.Img(
                        v_if="row.picture", src=("row.picture",), classes="brand-small", raw_attrs=[':alt="row.name"']
                    )
                with html.Td(classes="key"):
                    html.Div("{{ row.name }}", classes="brand-name")
                    with html.Div(classes="brand-bar"):
                        html.Div(style=("`width: ${row.width}%; background: ${row.colour}`",))
                html.Td("{{ row.chance }}", classes="brand-chance")
                html.Td("{{ share }}", v_for="(share, n) in row.models", key="n")
            with html.Tr(v_if="brand.other"):
                html.Td("")
                html.Td("any other system", classes="key")
                html.Td("{{ brand.other }}")
                html.Td("", v_for="name in brand.columns", key="name")


def _reference() -> None:
    with html.Div(classes="card", id="brand-reference"):
        html.Div(f"{{{{ {CHOSEN}.name }}}}, as it looks from the side and from above", classes="c2-name")
        html.Img(
            v_if=f"{CHOSEN}.picture",
            src=(f"{CHOSEN}.picture",),
            classes="brand-large",
            raw_attrs=[f':alt="{CHOSEN}.name"'],
        )
        html.Div("no picture of this system", v_if=f"!{CHOSEN}.picture", classes="quiet")


def _crops(calls: Handlers) -> None:
    with html.Div(classes="card", id="brand-crops"):
        html.Div("Screws that were judged, as the models were shown them", classes="c2-name")
        with (
            html.Div(classes="brand-crops"),
            html.Button(
                v_for="crop in brand.crops",
                key="crop.key",
                classes="brand-crop",
                click=(
                    lambda view, number: calls.brand_controls.look_at(view, number),
                    "[crop.view, crop.number]",
                ),
                title=("`The view at ${crop.title}`",),
                raw_attrs=[
                    ':class="{selected: crop.key === brand_crop}"',
                    ':data-crop="crop.key"',
                    ':aria-pressed="crop.key === brand_crop"',
                ],
            ),
        ):
            html.Img(src=("crop.picture",), raw_attrs=[':alt="crop.title"'])
            with html.Div():
                html.Span(
                    "{{ crop.title }}",
                    classes="chip small",
                    style=("`background: ${crop.colour}; color: ${crop.ink}`",),
                )
                html.Span(" {{ crop.said }}", raw_attrs=[':class="crop.agrees ? `` : `brand-differs`"'])


def _looks(calls: Handlers) -> None:
    with html.Div(classes="card", id="brand-looks"):
        with html.Div(classes="pose-file"):
            html.Label("Attention of", raw_attrs=['for="brand-model"'])
            choice("brand-model", "brand.models", "brand_model", "brand_model = $event.target.value")
        with html.Div(classes="figure"):
            html.Label("Opacity", classes="figure-name")
            v.VSlider(
                v_model=("brand_opacity",),
                min=0,
                max=1,
                step=0.05,
                disabled=("!brand_model",),
                density="compact",
                hide_details=True,
                thumb_size=14,
                track_size=2,
                color="primary",
                raw_attrs=['aria-label="Opacity"', 'data-slider="brand_opacity"'],
            )
            html.Div("{{ Math.round(100 * brand_opacity) }}", classes="c2-value")
            html.Div("%", classes="unit")
        with html.Div(classes="row c2-switches"):
            check(
                "brand_outlines",
                "brand_outlines",
                "brand_outlines = $event.target.checked",
                "Squares and numbers",
                "false",
            )
            v.VBtn(
                "Whole films",
                size="x-small",
                variant="outlined",
                id="brand-whole",
                click=lambda: calls.front.reset_views(),
            )
