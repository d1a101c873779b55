"""The C2 tab's part of the page: what it is worth, gauges, attention, measures and ways out."""

from __future__ import annotations

from trame.widgets import html
from trame.widgets import vuetify3 as v

from spinescrew.anatomy.frame import SIDES
from spinescrew.viewer.c2_shown import WARNING
from spinescrew.viewer.places import C2
from spinescrew.viewer.widgets import Handlers, check

ASKED = "Can the pedicles of C2 take a screw? Networks judge each side, geometry measures beside them."


def build_c2_panel(calls: Handlers) -> None:
    """Everything of the answer; the screw in hand stands below it, as in the planner."""
    with v.Template(v_if=f"tab === '{C2}'"):
        html.Div(WARNING, classes="c2-warning", id="c2-warning")
        html.Div(ASKED, classes="card", v_if="!opened")
        with v.Template(v_if="opened"):
            _answer(calls)
            _ways()
            _attention()
            _measures()


def ask_for_c2(calls: Handlers) -> None:
    """What stands over the empty views: the button that runs it, or why it could not be judged."""
    with html.Div(classes="waiting alone", v_if=f"!busy && !opened && tab === '{C2}'"):
        html.Div("{{ message || 'C2 was not judged yet' }}", classes="job", id="c2-asked")
        v.VBtn(
            "Run",
            size="small",
            variant="flat",
            color="primary",
            id="c2-run",
            click=lambda: calls.jobs.begin(calls.c2.judge()),
        )


def _answer(calls: Handlers) -> None:
    with html.Div(classes="card", id="c2-answer"):
        with (
            html.Div(classes="c2-sides"),
            html.Button(
                v_for="own in c2.sides",
                key="own.side",
                classes="c2-side",
                click=(lambda side: calls.c2_desk.look(side), "[own.side]"),
                title=("`Slices through the ${own.side} pedicle`",),
                raw_attrs=[
                    ':class="{selected: own.side === c2_side}"',
                    ':id="`c2-${own.side}`"',
                    ':aria-pressed="own.side === c2_side"',
                ],
            ),
        ):
            _side()
        html.Div("{{ c2.reading }}", classes="quiet c2-reading")
        html.Div(
            "{{ own.disagreement }}",
            v_for="own in c2.sides.filter(own => own.disagreement)",
            key="own.side",
            classes="c2-disagreement",
            raw_attrs=['role="alert"'],
        )


def _side() -> None:
    with html.Div(classes="c2-head"):
        with html.Span(classes="c2-title"):
            v.VIcon("mdi-crosshairs", size="x-small", classes="c2-aim")
            html.Span("{{ own.title }}")
        html.Span(
            "{{ own.verdict }}", classes="chip small verdict", style=("`background: ${own.colour}; color: ${own.ink}`",)
        )
    with html.Div(classes="c2-percent"):
        html.Span("{{ own.chance }}", classes="c2-number")
        html.Span("{{ own.range }}", classes="quiet")
    with html.Div(
        classes="gauge", raw_attrs=['role="meter"', ':aria-valuenow="own.percent"', ':aria-label="own.text"']
    ):
        html.Div(classes="gauge-fill", style=("`width: ${own.percent}%; background: ${own.colour}`",))
        html.Div(
            classes="gauge-range",
            style=("`left: ${Math.min(own.low, 99)}%; width: ${Math.max(own.high - own.low, 1)}%`",),
        )
        html.Div(classes="gauge-line", style=("`left: ${c2.threshold}%`",))
    with html.Div(classes="gauge-scale quiet"):
        html.Span("0")
        html.Span("{{ c2.threshold }}")
        html.Span("100 %")
    with html.Div(v_for="row in rows.filter(row => row.key === own.key)", key="row.key", classes="c2-screw"):
        html.Span("{{ row.reason || row.screw }}")
        html.Span(
            "GR {{ row.letter }}",
            v_if="row.letter !== '–'",
            classes="chip small",
            style=("`background: ${row.colour}; color: ${row.ink}`",),
        )


def _attention() -> None:
    with html.Div(classes="card", id="c2-attention"):
        with html.Div(classes="row c2-switches"):
            html.Span("Where the network looked", classes="c2-name")
            check("attention", "attention", "attention = $event.target.checked", "Attention (A)", "false")
            check(
                "attention-surface",
                "attention_surface",
                "attention_surface = $event.target.checked",
                "On bone",
                "!attention",
            )
        for name, label in (("attention_opacity", "Opacity"), ("attention_threshold", "Shown from")):
            with html.Div(classes="figure"):
                html.Label(label, classes="figure-name")
                v.VSlider(
                    v_model=(name,),
                    min=0,
                    max=1,
                    step=0.05,
                    disabled=("!attention",),
                    density="compact",
                    hide_details=True,
                    thumb_size=14,
                    track_size=2,
                    color="primary",
                    raw_attrs=[f'aria-label="{label}"', f'data-slider="{name}"'],
                )
                html.Div(f"{{{{ Math.round(100 * {name}) }}}}", classes="c2-value")
                html.Div("%", classes="unit")


def _measures() -> None:
    with html.Div(classes="card", id="c2-measures"):
        with html.Table(classes="screws c2-table"):
            with html.Thead(), html.Tr():
                html.Th("Measure and published cut-off")
                for side in SIDES:
                    html.Th(side.capitalize())
            with html.Tbody(v_for="row in c2.measures", key="row.name"):
                with html.Tr():
                    html.Td("{{ row.name }}")
                    for side in SIDES:
                        with html.Td():
                            html.Div(f"{{{{ row.values.{side}.text }}}}")
                            html.Span(
                                "{{ tag.text }}",
                                v_for=f"tag in row.values.{side}.tags",
                                key="tag.text",
                                raw_attrs=[':class="tag.good ? `tag good` : `tag bad`"'],
                            )
                with html.Tr(v_if="row.meaning"):
                    html.Td("{{ row.meaning }}", classes="quiet", colspan=1 + len(SIDES))
        html.Div("{{ source }}", v_for="source in c2.sources", key="source", classes="quiet")
        html.Div("{{ note }}", v_for="note in c2.sides.flatMap(own => own.notes)", key="note", classes="note")


def _ways() -> None:
    with html.Div(classes="card", id="c2-ways", v_if="c2.sides.some(own => own.ways.length)"):
        html.Div("Ways out", classes="c2-name")
        with (
            v.Template(v_for="own in c2.sides", key="own.side"),
            html.Div(classes="c2-way", v_for="way in own.ways", key="way.name"),
        ):
            html.Span(classes="c2-swatch")
            html.Span("{{ own.title }}: {{ way.name }}")
            html.Span("longest {{ way.length }}, wall {{ way.wall }}", classes="quiet")
