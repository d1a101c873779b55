"""The pose tab's part of the page: files, screws, corrections, and what is seen of them."""

from __future__ import annotations

from collections.abc import Callable

from trame.widgets import html
from trame.widgets import vuetify3 as v

from spinescrew.viewer.file_card import DICOM, IMAGE_ENDINGS, ask_to_run, file_card, run_button
from spinescrew.viewer.places import POSE
from spinescrew.viewer.pose_shown import WARNING
from spinescrew.viewer.widgets import Handlers, check, choice

ENDINGS = f"{IMAGE_ENDINGS},.json,{DICOM}"
FILES = (("first", "First image"), ("second", "Second image"), ("geometry", "Geometry"))

COLUMNS = (
    ("size", "Size", "diameter x length of the shaft"),
    ("across", "± across", "standard deviation across the shaft at its middle, mm"),
    ("along", "± along", "standard deviation along the shaft, mm"),
    ("tilt", "± tilt", "standard deviation of the direction, degrees"),
)
SWITCHES = (
    ("pose_outlines", "Outlines (A)"),
    ("pose_beams", "Beams"),
    ("pose_detectors", "Images in 3D"),
    ("pose_planned", "Plan"),
)


def build_pose_panel(calls: Handlers) -> None:
    """Everything of the tab but its notes."""
    with v.Template(v_if=f"tab === '{POSE}'"):
        html.Div(WARNING, classes="c2-warning", id="pose-warning")
        _files(calls)
        with v.Template(v_if="opened"):
            _doubts()
            _screws(calls)
            _correct(calls)
            _placed()
            _looks(calls)


def ask_for_pose(calls: Handlers) -> None:
    """What stands over the empty views: the button that runs it, or why there are no screws."""
    ready = "pose_files.first || pose_files.geometry"
    ask_to_run(POSE, ready, "No files were chosen: Run shows two simulated radiographs", _run(calls))


def _run(calls: Handlers) -> Callable[[], object]:
    return lambda: calls.jobs.begin(calls.pose.solve())


def _files(calls: Handlers) -> None:
    with file_card(POSE, "Drop two radiographs and their geometry here, or choose them", FILES, ENDINGS):
        with html.Div(classes="pose-file"):
            html.Label("Sizes", raw_attrs=['for="pose-sizes"'])
            html.Input(
                classes="number pose-sizes",
                id="pose-sizes",
                placeholder="6.5x45, ... (measured when empty)",
                change=(lambda text: calls.pose.set_sizes(text), "[$event.target.value]"),
                raw_attrs=['v-typed="pose_files.sizes"'],
            )
        with html.Div(v_if="pose_can_compare", classes="row"):
            check(
                "pose_compare",
                "pose_compare",
                "pose_compare = $event.target.checked",
                "Compare with the plan of the Planner tab",
                "busy",
            )
        with html.Div(classes="row buttons"):
            run_button("pose-again", _run(calls))
            v.VBtn("Swap images", size="x-small", variant="outlined", id="pose-swap", click=lambda: calls.pose.swap())
            v.VBtn("Example", size="x-small", variant="outlined", id="pose-forget", click=lambda: calls.pose.forget())


def _doubts() -> None:
    with html.Div(classes="card pose-doubts", v_if="notes.length", id="pose-doubts", raw_attrs=['role="alert"']):
        html.Div("{{ note }}", v_for="note in notes", key="note", classes="note")


def _screws(calls: Handlers) -> None:
    with html.Div(classes="card", id="pose-screws"):
        html.Div("{{ pose.summary }}", classes="quiet", id="pose-summary")
        with html.Table(classes="screws"):
            with html.Thead(), html.Tr():
                html.Th("Screw")
                for _name, label, why in COLUMNS:
                    html.Th(label, title=why)
                html.Th("Match", title="how far the fitted screw lies off the one seen, in pixels")
            with (
                html.Tbody(),
                html.Tr(
                    v_for="row in pose.screws",
                    key="row.number",
                    click=(lambda number: calls.pose_controls.select(number), "[row.number]"),
                    raw_attrs=[':class="{selected: row.selected}"', ':data-screw="row.number"'],
                ),
            ):
                with html.Td(classes="key"):
                    _chip("row.title", "row.colour", "row.ink")
                for name, _label, _why in COLUMNS:
                    html.Td(f"{{{{ row.{name} }}}}")
                with html.Td():
                    html.Span("{{ row.residual }}", classes="pose-residual")
                    _chip("row.match.text", "row.match.colour", "row.match.ink")
        with v.Template(v_if="pose.hand.number"):
            with html.Div(classes="hand-head pose-hand"):
                html.Div("Screw {{ pose.hand.title }}", classes="hand-title", id="pose-hand")
                html.Div("{{ pose.hand.size }}", classes="hand-size")
            with html.Div(classes="fact", v_for="fact in pose.hand.facts", key="fact.name"):
                html.Span("{{ fact.name }}", classes="quiet")
                html.Span("{{ fact.value }}")
            html.Div("{{ note }}", v_for="note in pose.hand.notes", key="note", classes="quiet")
        html.Div("{{ pose.calibration }}", classes="quiet pose-calibration", id="pose-calibration")


def _chip(text: str, colour: str, ink: str) -> None:
    html.Span(f"{{{{ {text} }}}}", classes="chip small", style=(f"`background: ${{{colour}}}; color: ${{{ink}}}`",))


def _correct(calls: Handlers) -> None:
    with html.Div(classes="card", id="pose-correct"):
        for index, (name, label, heard) in enumerate(
            (
                ("first", "In image 1", lambda name: calls.pose_controls.choose_first(name)),
                ("second", "is in image 2", lambda name: calls.pose_controls.choose_second(name)),
            )
        ):
            with html.Div(classes="pose-file"):
                html.Label(label, raw_attrs=[f'for="pose-match-{name}"'])
                choice(f"pose-match-{name}", f"pose.choices[{index}]", f"pose.{name}", (heard, "[$event.target.value]"))
        html.Div("Drag the ends of an axis in either image; it is solved again when you let go.", classes="quiet")


def _placed() -> None:
    """Planned and placed, a block for each pedicle."""
    with html.Div(classes="card", id="pose-placed", v_if="pose.placed.length"):
        html.Div("Planned and placed", classes="c2-name")
        with html.Div(classes="pose-placed", v_for="row in pose.placed", key="row.name + row.number"):
            with html.Div(classes="c2-screw"):
                html.Span("{{ row.name }}, screw {{ row.number }}", classes="c2-name")
                with html.Span():
                    html.Span("planned ", classes="quiet")
                    _chip("row.planned.text", "row.planned.colour", "row.planned.ink")
                    html.Span(" placed ", classes="quiet")
                    _chip("row.placed.text", "row.placed.colour", "row.placed.ink")
            html.Div("entry {{ row.entry }}, tip {{ row.tip }}, turned {{ row.angle }}")
            html.Div("{{ row.words }}", classes="quiet")
        html.Div("{{ text }}", v_for="text in pose.placed_words", key="text", classes="quiet pose-calibration")


def _looks(calls: Handlers) -> None:
    with html.Div(classes="card", id="pose-looks"):
        with html.Div(classes="row c2-switches"):
            for name, label in SWITCHES:
                check(name, name, f"{name} = $event.target.checked", label, "false")
        with html.Div(classes="figure"):
            html.Label("Segmentation", classes="figure-name")
            v.VSlider(
                v_model=("pose_overlay",),
                min=0,
                max=1,
                step=0.05,
                density="compact",
                hide_details=True,
                thumb_size=14,
                track_size=2,
                color="primary",
                raw_attrs=['aria-label="Segmentation"', 'data-slider="pose_overlay"'],
            )
            html.Div("{{ Math.round(100 * pose_overlay) }}", classes="c2-value")
            html.Div("%", classes="unit")
        with html.Div(classes="row buttons"):
            for name, label, everything in (("screws", "Screws in 3D", False), ("room", "C-arm in 3D", True)):
                v.VBtn(
                    label,
                    size="x-small",
                    variant="outlined",
                    id=f"pose-{name}",
                    click=lambda everything=everything: calls.pose_controls.look_at(everything),
                )
