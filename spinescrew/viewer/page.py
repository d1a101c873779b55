"""The page: what is where. Everything it shows is in the state, everything it does is a handler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import html
from trame.widgets import vuetify3 as v
from trame.widgets.rca import RemoteControlledArea

from spinescrew.viewer.controls import Controls, key_help
from spinescrew.viewer.desk import START, WINDOWS
from spinescrew.viewer.errands import Errands
from spinescrew.viewer.panes import PLACES
from spinescrew.viewer.shown import figure_fields

STATIC = Path(__file__).parent / "static"
TITLE = "SpineScrew planner"
DISCLAIMER = "For research; not a medical device. A surgeon reviews every screw."

COLUMNS = (
    ("screw", "Screw", "diameter x length in mm"),
    ("facet", "Facet", "Babu grade of the joint above"),
    ("pta", "PTA", "degrees"),
    ("psa", "PSA", "degrees"),
    ("depth", "Depth", "% of the channel"),
    ("fill", "Fill", "% of the isthmus"),
)


class Handlers:
    """What the page calls; filled in when the case is on the desk."""

    controls: Controls
    errands: Errands
    add: Callable[[], None]
    reset_views: Callable[[], None]


def build_page(server: Any, calls: Handlers) -> VAppLayout:
    """Lay the page out; ``calls`` is asked when something is pressed, not before."""
    server.state.update(START)
    server.state.update({"fields": figure_fields(), "key_help": key_help(), "help": False, "trame__title": TITLE})
    server.enable_module(
        {"serve": {"spinescrew": str(STATIC)}, "scripts": ["spinescrew/page.js"], "styles": ["spinescrew/page.css"]}
    )
    server.trigger("key")(lambda name: calls.controls.key(name))
    with VAppLayout(server) as layout:
        layout.root.theme = ("theme",)
        with html.Div(classes="planner", v_bind_class="{big: big !== ''}"):
            _bar(calls)
            _views(calls)
            with html.Div(classes="panel", v_if="opened"):
                _hand(calls)
                _table(calls)
                _levels(calls)
                _notes()
            _waiting(calls)
        _messages(calls)
        _help()
        _exported()
    return layout


def _bar(calls: Handlers) -> None:
    with html.Div(classes="bar"):
        html.Img(src="spinescrew/logo.svg", classes="logo", alt="")
        html.Div(TITLE, classes="title")
        html.Div("{{ case_name }}", classes="case", title=("case_name",))
        html.Div("unsaved edits", v_if="unsaved", classes="unsaved")
        v.VSpacer()
        press = _presser(calls)
        _icon("mdi-undo", "`Undo ${steps.undo}`", press("undo"), disabled="!steps.undo", id="undo")
        _icon("mdi-redo", "`Redo ${steps.redo}`", press("redo"), disabled="!steps.redo", id="redo")
        _view_menu()
        _icon("mdi-fit-to-screen-outline", "'Show everything'", lambda: calls.reset_views(), id="reset-views")
        _icon("mdi-theme-light-dark", "'Dark or light'", "theme = theme === 'dark' ? 'light' : 'dark'", id="theme")
        _icon("mdi-keyboard-outline", "'Keys'", "help = true", id="help")
        with v.VBtn(
            "Save", v_if="can_save", size="small", variant="tonal", disabled=("busy || !unsaved",), id="save",
            click=lambda: calls.errands.begin(calls.errands.save()),
        ):  # fmt: skip
            pass
        v.VBtn(
            "Export",
            size="small",
            variant="flat",
            color="primary",
            disabled=("!opened || busy",),
            id="export",
            click=lambda: calls.errands.begin(calls.errands.export()),
        )


def _view_menu() -> None:
    with v.VMenu(close_on_content_click=False):
        with v.Template(v_slot_activator="{ props }"):
            v.VBtn("View", v_bind="props", size="small", variant="text", append_icon="mdi-menu-down", id="view-menu")
        with v.VCard(classes="pa-3 view-menu", width=300):
            for name, label in (
                ("aligned", "Slices along the screw"),
                ("follow_image", "Keep the image still while dragging"),
                ("ghost", "Show the automatic plan"),
                ("snap", "Sizes of the catalogue only"),
            ):
                v.VSwitch(
                    label=label,
                    v_model=(name,),
                    density="compact",
                    hide_details=True,
                    color="primary",
                    id=f"option-{name}",
                )
            v.VSelect(
                label="Window",
                v_model=("window",),
                items=("windows", list(WINDOWS)),
                density="compact",
                hide_details=True,
                classes="my-2",
            )
            html.Div("Bone in 3D", classes="text-caption mt-2")
            v.VSlider(v_model=("bone",), min=0.05, max=1, step=0.05, density="compact", hide_details=True)


def _views(calls: Handlers) -> None:
    with html.Div(classes="views"):
        for place in PLACES:
            name = place.node
            with html.Div(
                classes="pane",
                v_show=(f"big === '' || big === '{name}'",),
                id=f"pane-{name}",
                style=(f"`cursor: ${{cursor_{name}}}`",),
            ):
                RemoteControlledArea(
                    name=f"pane_{name}", display="image", send_mouse_move=True, event_throttle_ms=("10",)
                )
                html.Div(f"{{{{ aligned ? '{place.along}' : '{place.plain}' }}}}", classes="pane-title")
                with html.Div(classes="pane-buttons"):
                    _icon(
                        f"big === '{name}' ? 'mdi-arrow-collapse' : 'mdi-arrow-expand'",
                        f"big === '{name}' ? 'All views' : 'This view alone'",
                        f"big = big === '{name}' ? '' : '{name}'",
                        expression=True,
                        id=f"expand-{name}",
                    )
                if name != "1":
                    for n, edge in enumerate(("left", "right", "top", "bottom")):
                        html.Div(f"{{{{ letters['{name}'][{n}] }}}}", v_if="opened", classes=f"letter letter-{edge}")


def _hand(calls: Handlers) -> None:
    press = _presser(calls)

    def set_figure(figure: str, value: Any) -> None:
        calls.controls.set_figure(figure, value)

    with html.Div(classes="card hand", id="hand"):
        with html.Div(classes="hand-head"):
            _icon("mdi-chevron-left", "'Previous screw  ['", press("previous"), id="previous")
            html.Div("{{ hand.title }}", classes="hand-title", id="hand-title")
            _icon("mdi-chevron-right", "'Next screw  ]'", press("next"), id="next")
            html.Div("{{ hand.size }}", classes="hand-size", id="hand-size")
            v.VSpacer()
            html.Div(
                "GR {{ hand.letter }}",
                v_if="hand.planned",
                classes="chip",
                id="grade",
                title="Gertzbein-Robbins",
                style=("`background: ${hand.colour}; color: ${hand.ink}`",),
            )
            html.Div(
                "facet {{ hand.facet }}",
                v_if="hand.planned",
                classes="chip",
                id="facet",
                title="Babu grade of the joint with the vertebra above",
                style=("`background: ${hand.facet_colour}; color: ${hand.facet_ink}`",),
            )
        html.Div("{{ hand.grade_text }}", classes="grade-text", id="grade-text")
        html.Div("{{ hand.moved }}", classes="quiet", id="moved")
        with html.Div(classes="figure", v_for="field in fields", key="field.id", raw_attrs=[':data-figure="field.id"']):
            html.Label("{{ field.name }}", classes="figure-name", title=("field.help",))
            v.VSlider(
                model_value=("hand.figures[field.id] ?? 0",),
                min=("field.low",),
                max=("field.high",),
                step=("field.step",),
                disabled=("hand.locked || hand.figures[field.id] === undefined",),
                update_modelValue=(
                    lambda figure, value: calls.controls.set_figure(figure, value),
                    "[field.id, $event]",
                ),
                density="compact",
                hide_details=True,
                thumb_size=14,
                track_size=2,
                color="primary",
                raw_attrs=[':aria-label="field.name"'],
            )
            html.Input(
                type="number",
                classes="number",
                value=("hand.figures[field.id]",),
                step=("field.step",),
                disabled=("hand.locked || hand.figures[field.id] === undefined",),
                change=(set_figure, "[field.id, $event.target.value]"),
                raw_attrs=[
                    ':id="`type-${field.id}`"',
                    ':aria-label="`${field.name} in ${field.unit}`"',
                    '@keydown.enter="$event.target.blur()"',
                ],
            )
            html.Div("{{ field.unit }}", classes="unit")
        with html.Div(classes="row"):
            html.Span("Turn about", classes="quiet")
            with v.VBtnToggle(v_model=("pivot",), mandatory=True, density="compact", variant="outlined"):
                v.VBtn("entry", value="entry", size="x-small")
                v.VBtn("isthmus", value="isthmus", size="x-small")
            v.VSpacer()
            _check("locked", "hand.locked", lambda on: calls.controls.set_locked(on), "Locked")
            _check("reviewed", "hand.reviewed", lambda on: calls.controls.set_reviewed(on), "Reviewed")
        with html.Div(classes="row buttons"):
            for name, label, why in (
                ("mirror", "Mirror", "The same screw on the other side"),
                ("copy", "Copy down", "The same screw in the vertebra below"),
                ("restore", "Automatic", "As the planner had placed it"),
                ("delete", "Delete", "Take the screw out"),
            ):
                v.VBtn(label, size="x-small", variant="outlined", id=name, title=why, click=press(name))
            v.VBtn(
                "Add",
                size="x-small",
                variant=("adding ? 'flat' : 'outlined'",),
                color=("adding ? 'primary' : undefined",),
                id="add",
                title="Two clicks in any view: entry, then tip",
                click=lambda: calls.add(),
            )
        with (
            html.Div(classes="facts", v_if="hand.facts.length"),
            html.Div(classes="fact", v_for="fact in hand.facts", key="fact.name", title=("fact.why",)),
        ):
            html.Span("{{ fact.name }}", classes="quiet")
            html.Span("{{ fact.value }}")
        html.Div("{{ note }}", v_for="note in hand.notes", key="note", classes="note")


def _check(name: str, value: str, handler: Callable[[bool], None], label: str) -> None:
    with html.Label(classes="check"):
        html.Input(
            type="checkbox",
            checked=(value,),
            disabled=("!hand.planned",),
            id=name,
            change=(handler, "[$event.target.checked]"),
        )
        html.Span(label)


def _table(calls: Handlers) -> None:
    with html.Div(classes="card"):
        html.Div("{{ summary }}", classes="quiet", id="summary")
        with html.Table(classes="screws", id="screws"):
            with html.Thead(), html.Tr():
                html.Th("")
                html.Th("GR", title="Gertzbein-Robbins")
                for _name, label, why in COLUMNS:
                    html.Th(label, title=why)
                html.Th("")
            with (
                html.Tbody(),
                html.Tr(
                    v_for="row in rows",
                    key="row.key",
                    click=(lambda key: calls.controls.select(key), "[row.key]"),
                    title=("row.reason",),
                    raw_attrs=[':class="{selected: row.selected, moved: row.moved}"', ':data-key="row.key"'],
                ),
            ):
                html.Td("{{ row.key }}", classes="key")
                with html.Td():
                    html.Span(
                        "{{ row.letter }}",
                        classes="chip small",
                        style=("`background: ${row.colour}; color: ${row.ink}`",),
                    )
                for name, _label, _why in COLUMNS:
                    html.Td(f"{{{{ row.{name} }}}}", classes=name)
                with html.Td():
                    v.VIcon("mdi-lock", v_if="row.locked", size="x-small", title="locked")
                    v.VIcon("mdi-check", v_if="row.reviewed", size="x-small", title="reviewed")
                    v.VIcon("mdi-pencil", v_if="row.moved", size="x-small", title="moved by hand")


def _levels(calls: Handlers) -> None:
    with html.Details(classes="card", id="levels"):
        html.Summary("Levels")
        html.Div("{{ levels.message }}", v_if="levels.message", classes="note")
        with html.Div(classes="level", v_for="row in levels.rows", key="row.now"):
            html.Span("{{ row.now }}", classes="now")
            html.Span("is called", classes="quiet")
            html.Input(
                classes="number name",
                value=("row.name",),
                raw_attrs=[':id="`level-${row.now}`"', '@keydown.enter="$event.target.blur()"'],
                change=(lambda now, name: calls.errands.set_name(now, name), "[row.now, $event.target.value]"),
            )
        with html.Div(classes="row buttons"):
            v.VBtn("All one up", size="x-small", variant="outlined", click=lambda: calls.errands.shift_names(-1))
            v.VBtn(
                "All one down",
                size="x-small",
                variant="outlined",
                id="shift-down",
                click=lambda: calls.errands.shift_names(1),
            )
            v.VBtn(
                "Rename",
                size="x-small",
                variant="flat",
                color="primary",
                id="rename",
                disabled=("busy || !levels.changed",),
                click=lambda: calls.errands.begin(calls.errands.apply_names()),
            )
        html.Div("Screws stay in their bone and are graded anew; undo begins anew.", classes="quiet")


def _notes() -> None:
    with html.Div(classes="card notes"):
        html.Div("{{ note }}", v_for="note in notes", key="note", classes="note")
        html.Div(DISCLAIMER, classes="quiet")


def _waiting(calls: Handlers) -> None:
    with html.Div(classes="waiting", v_if="busy", id="waiting", raw_attrs=[':class="{alone: !opened}"']):
        html.Div("{{ job_text }}", classes="job")
        v.VProgressLinear(model_value=("job_fraction",), height=6, rounded=True, color="primary")
        v.VBtn("Cancel", size="small", variant="text", id="cancel", click=lambda: calls.errands.cancel())
    with html.Div(classes="waiting alone", v_if="!busy && !opened"):
        html.Div("{{ message || 'Connecting ...' }}", classes="job", id="failed")
        v.VBtn(
            "Try again",
            v_if="message",
            size="small",
            variant="tonal",
            click=lambda: calls.errands.begin(calls.errands.open()),
        )


def _messages(calls: Handlers) -> None:
    html.Div(
        "{{ message }}",
        v_if="message && opened",
        classes="message",
        id="message",
        raw_attrs=[':class="{problem: problem}"', 'role="status"'],
        click="message = ''",
    )
    dialog = v.VDialog(model_value=("recover > 0",), persistent=True, max_width=440)
    with dialog, v.VCard(title="Unsaved work was found"):
        v.VCardText("Edits made on this case were not saved: {{ recover }}. Take them up again?")
        with v.VCardActions():
            v.VBtn("Forget them", id="forget", click=lambda: calls.errands.begin(calls.errands.recover(False)))
            v.VBtn(
                "Recover", id="recover", color="primary", click=lambda: calls.errands.begin(calls.errands.recover(True))
            )


def _help() -> None:
    with v.VDialog(v_model=("help",), max_width=640), v.VCard(title="Keys"), v.VCardText():
        with html.Div(classes="keys"), html.Div(v_for="row in key_help", key="row.keys", classes="fact"):
            html.Kbd("{{ row.keys }}")
            html.Span("{{ row.does }}")
        html.P(
            "In the views: drag the handles of a screw - the diamond moves all of it, the balls at its ends turn it. "
            "Wheel: through the slices, or nearer in 3D. Right button: zoom. Middle button or Shift: pan."
        )
        html.P("This page has one case for one person; start another planner for a second.", classes="quiet")


def _exported() -> None:
    with (
        v.VDialog(model_value=("!!exported.archive",), max_width=440, update_modelValue="$event || (exported = {})"),
        v.VCard(title="The case is ready"),
        v.VCardText(),
    ):
        html.P("The files hold no patient identity.")
        for name, label in (("report", "Report (HTML)"), ("plan", "Plan (JSON)"), ("archive", "Everything (ZIP)")):
            html.A(label, classes="download", href=(f"exported.{name}",), id=f"download-{name}", raw_attrs=["download"])


def _presser(calls: Handlers) -> Callable[[str], Callable[[], None]]:
    def press(name: str) -> Callable[[], None]:
        return lambda: calls.controls.press(name)

    return press


def _icon(icon: str, title: str, click: Any, *, disabled: str = "false", expression: bool = False, id: str) -> None:
    """A button that is a picture; ``title`` (a JavaScript expression) says what it does."""
    v.VBtn(
        icon=(icon,) if expression else icon,
        size="small",
        density="comfortable",
        variant="text",
        title=(title,),
        disabled=(disabled,),
        click=click,
        id=id,
        raw_attrs=[f':aria-label="{title}"'],
    )
