"""The right side of the page: what each tab tells; in the planner's the screw in hand, all screws, levels and notes."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v

from spinescrew.viewer.brand_panel import build_brand_panel
from spinescrew.viewer.c2_panel import build_c2_panel
from spinescrew.viewer.places import ON_RADIOGRAPHS, PLANNER
from spinescrew.viewer.pose_panel import build_pose_panel
from spinescrew.viewer.widgets import Handlers, check, icon_button

DISCLAIMER = "For research; not a medical device. A surgeon reviews every screw."

COLUMNS = (
    ("screw", "Screw", "diameter x length in mm"),
    ("facet", "Facet", "Babu grade of the joint above"),
    ("pta", "PTA", "degrees"),
    ("psa", "PSA", "degrees"),
    ("depth", "Depth", "% of the channel"),
    ("fill", "Fill", "% of the isthmus"),
)


def build_panel(calls: Handlers) -> None:
    """Everything about the plan, one card below the other."""
    with html.Div(classes="panel", v_if=f"opened || tab !== '{PLANNER}'"):
        build_c2_panel(calls)
        build_pose_panel(calls)
        build_brand_panel(calls)
        with v.Template(v_if="opened"):
            with v.Template(v_if=f"!{ON_RADIOGRAPHS}"):
                _hand(calls)
            with v.Template(v_if=f"tab === '{PLANNER}'"):
                _table(calls)
                _levels(calls)
            _notes()


def _hand(calls: Handlers) -> None:
    def set_figure(figure: str, value: Any) -> None:
        calls.controls.set_figure(figure, value)

    with html.Div(classes="card hand", id="hand"):
        with html.Div(classes="hand-head"):
            icon_button("mdi-chevron-left", "'Previous screw  ['", calls.press("previous"), id="previous")
            html.Div("{{ hand.title }}", classes="hand-title", id="hand-title")
            icon_button("mdi-chevron-right", "'Next screw  ]'", calls.press("next"), id="next")
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
        html.Div("{{ hand.state }}", classes="quiet", id="state")
        with html.Div(classes="figure", v_for="field in fields", key="field.id", raw_attrs=[':data-figure="field.id"']):
            html.Label("{{ field.name }}", classes="figure-name", title=("field.help",))
            v.VSlider(
                model_value=("hand.figures[field.id] ?? 0",),
                min=("field.low",),
                max=("field.high",),
                step=("field.step",),
                disabled=("hand.locked || hand.figures[field.id] === undefined",),
                update_modelValue=(set_figure, "[field.id, $event]"),
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
                step=("field.step",),
                disabled=("hand.locked || hand.figures[field.id] === undefined",),
                change=(set_figure, "[field.id, $event.target.value]"),
                raw_attrs=[
                    ':id="`type-${field.id}`"',
                    ':aria-label="`${field.name} in ${field.unit}`"',
                    'v-typed="hand.figures[field.id]"',
                ],
            )
            html.Div("{{ field.unit }}", classes="unit")
        with html.Div(classes="row"):
            html.Span("Turn about", classes="quiet")
            with v.VBtnToggle(v_model=("pivot",), mandatory=True, density="compact", variant="outlined"):
                v.VBtn("entry", value="entry", size="x-small")
                v.VBtn("isthmus", value="isthmus", size="x-small")
            v.VSpacer()
            for name, label, ticked in (
                ("locked", "Locked", lambda on: calls.controls.set_locked(on)),
                ("reviewed", "Reviewed", lambda on: calls.controls.set_reviewed(on)),
            ):
                check(name, f"hand.{name}", (ticked, "[$event.target.checked]"), label, "!hand.planned")
        with html.Div(classes="row buttons"):
            for name, label, why in (
                ("mirror", "Mirror", "The same screw on the other side"),
                ("copy", "Copy down", "The same screw in the vertebra below"),
                ("restore", "Automatic", "As the planner had placed it"),
                ("delete", "Delete", "Take the screw out"),
            ):
                v.VBtn(
                    label,
                    v_if=f"tab === '{PLANNER}'" if name == "copy" else "true",
                    size="x-small",
                    variant="outlined",
                    id=name,
                    title=why,
                    click=calls.press(name),
                )
            v.VBtn(
                "Add",
                size="x-small",
                variant=("adding ? 'flat' : 'outlined'",),
                color=("adding ? 'primary' : undefined",),
                id="add",
                title="Two clicks in any view: entry, then tip",
                click=lambda: calls.desk.start_adding(),
            )
        with (
            html.Div(classes="facts", v_if="hand.facts.length"),
            html.Div(classes="fact", v_for="fact in hand.facts", key="fact.name", title=("fact.why",)),
        ):
            html.Span("{{ fact.name }}", classes="quiet")
            html.Span("{{ fact.value }}")
        html.Div("{{ note }}", v_for="note in hand.notes", key="note", classes="note")


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
                raw_attrs=[':id="`level-${row.now}`"', 'v-typed="row.name"'],
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
                click=lambda: calls.jobs.begin(calls.errands.apply_names()),
            )
        html.Div("Screws stay in their bone and are graded anew; undo begins anew.", classes="quiet")


def _notes() -> None:
    with html.Div(classes="card notes"):
        with v.Template(v_if=f"!{ON_RADIOGRAPHS}"):
            html.Div("{{ note }}", v_for="note in notes", key="note", classes="note")
        html.Div(DISCLAIMER, classes="quiet")
