"""The page: what is where. Everything it shows is in the state, everything it does is a handler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import html
from trame.widgets import vuetify3 as v
from trame.widgets.rca import RemoteControlledArea

from spinescrew.viewer import brand_controls, c2_controls, pose_controls
from spinescrew.viewer.brand_panel import ask_for_brand
from spinescrew.viewer.c2_panel import ask_for_c2
from spinescrew.viewer.controls import key_help
from spinescrew.viewer.panel import build_panel
from spinescrew.viewer.places import BRAND, BRAND_PLACES, C2, ON_RADIOGRAPHS, PLACES, PLANNER, POSE, POSE_PLACES
from spinescrew.viewer.pose_panel import ask_for_pose
from spinescrew.viewer.shown import figure_fields
from spinescrew.viewer.start import START, WINDOWS
from spinescrew.viewer.widgets import Handlers, icon_button

STATIC = Path(__file__).parent / "static"
TITLE = "SpineScrew planner"
LAYOUTS = f"{{images: tab === '{POSE}', films: tab === '{BRAND}', single: tab === '{BRAND}' && brand.count === 1}}"
"""Classes of the views: how they are arranged in single tabs."""


def build_page(server: Any, calls: Handlers) -> VAppLayout:
    """Lay the page out; ``calls`` is asked when something is pressed, not before."""
    server.state.update(START)
    server.state.update(
        {
            "fields": figure_fields(),
            "key_help": key_help(c2_controls.KEYS, pose_controls.KEYS, brand_controls.KEYS),
            "help": False,
            "trame__title": TITLE,
        }
    )
    server.enable_module(
        {
            "serve": {"spinescrew": str(STATIC)},
            "scripts": ["spinescrew/page.js"],
            "styles": ["spinescrew/page.css"],
            "vue_use": ["spinescrew"],
        }
    )
    server.trigger("key")(lambda name: calls.hand.key(name))
    server.trigger("pose_file")(lambda place, file: calls.pose.take(place, file))
    server.trigger("brand_file")(lambda place, file: calls.brand.take(place, file))
    with VAppLayout(server) as layout:
        layout.root.theme = ("theme",)
        with html.Div(classes="planner", v_bind_class="{big: big !== ''}"):
            _bar(calls)
            _views(calls)
            build_panel(calls)
            _waiting(calls)
        _messages(calls)
        _help()
        _exported()
    return layout


def _bar(calls: Handlers) -> None:
    with html.Div(classes="bar"):
        html.Img(src="spinescrew/logo.svg", classes="logo", alt="")
        html.Div(TITLE, classes="title")
        with v.VBtnToggle(model_value=("tab",), mandatory=True, density="compact", variant="outlined", classes="tabs"):
            for tab, label in ((PLANNER, "Planner"), (C2, "C2"), (POSE, "Pose"), (BRAND, "Brand")):
                v.VBtn(
                    label,
                    value=tab,
                    size="small",
                    id=f"tab-{tab}",
                    click=(lambda tab: calls.show_tab(tab), f"['{tab}']"),
                )
        html.Div("{{ case_name }}", classes="case", title=("case_name",))
        html.Div("unsaved edits", v_if="unsaved", classes="unsaved")
        v.VSpacer()
        icon_button("mdi-undo", "`Undo ${steps.undo}`", calls.press("undo"), disabled="!steps.undo", id="undo")
        icon_button("mdi-redo", "`Redo ${steps.redo}`", calls.press("redo"), disabled="!steps.redo", id="redo")
        _view_menu()
        icon_button(
            "mdi-fit-to-screen-outline", "'Show everything'", lambda: calls.front.reset_views(), id="reset-views"
        )
        icon_button(
            "mdi-theme-light-dark", "'Dark or light'", "theme = theme === 'dark' ? 'light' : 'dark'", id="theme"
        )
        icon_button("mdi-keyboard-outline", "'Keys'", "help = true", id="help")
        v.VBtn(
            "Save",
            v_if="can_save",
            size="small",
            variant="tonal",
            disabled=("busy || !unsaved",),
            id="save",
            click=lambda: calls.jobs.begin(calls.errands.save()),
        )
        v.VBtn(
            "Export",
            size="small",
            variant="flat",
            color="primary",
            disabled=("!opened || busy",),
            id="export",
            click=lambda: calls.jobs.begin(calls.export()),
        )


def _view_menu() -> None:
    with v.VMenu(close_on_content_click=False, v_if=f"!{ON_RADIOGRAPHS}"):
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
            for name, tab in (("bone", PLANNER), ("c2_bone", C2)):
                v.VSlider(
                    v_model=(name,),
                    v_if=f"tab === '{tab}'",
                    min=0.05,
                    max=1,
                    step=0.05,
                    density="compact",
                    hide_details=True,
                )


def _there(node: str) -> str:
    """JavaScript: whether the tab in front has this view."""
    apart = ((POSE, POSE_PLACES), (BRAND, BRAND_PLACES))
    conditions = [f"tab !== '{tab}'" for tab, places in apart if node not in {place.node for place in places}]
    if node == BRAND_PLACES[-1].node:
        conditions.append(f"(tab !== '{BRAND}' || brand.count !== 1)")
    return " && ".join(conditions) or "true"


def _views(calls: Handlers) -> None:
    with html.Div(classes="views", v_bind_class=LAYOUTS):
        for place in PLACES:
            name = place.node
            there = _there(name)
            with html.Div(
                classes="pane",
                v_show=(f"{there} && (big === '' || big === '{name}')",),
                id=f"pane-{name}",
                style=(f"`cursor: ${{cursor_{name}}}`",),
            ):
                RemoteControlledArea(
                    v_if=there,
                    name=(f"`${{pane_names[tab]}}_{name}`",),
                    key="tab",
                    display="image",
                    send_mouse_move=True,
                    event_throttle_ms=("10",),
                )
                along = f"tab === '{C2}' && !hand.planned ? '{place.pedicle}' : '{place.along}'"
                along = f"aligned ? ({along}) : '{place.plain}'"
                title = f"tab === '{POSE}' ? (pose.titles['{name}'] ?? '{place.plain}') : {along}"
                title = f"tab === '{BRAND}' ? (brand.titles['{name}'] ?? '') : {title}"
                html.Div(f"{{{{ {title} }}}}", classes="pane-title")
                with html.Div(classes="pane-buttons"):
                    icon_button(
                        f"big === '{name}' ? 'mdi-arrow-collapse' : 'mdi-arrow-expand'",
                        f"big === '{name}' ? 'All views' : 'This view alone'",
                        f"big = big === '{name}' ? '' : '{name}'",
                        expression=True,
                        id=f"expand-{name}",
                    )
                if name != "1":
                    shown = f"opened && tab !== '{BRAND}'"  # nothing tells which side of the patient a film shows where
                    for n, edge in enumerate(("left", "right", "top", "bottom")):
                        html.Div(f"{{{{ letters['{name}'][{n}] }}}}", v_if=shown, classes=f"letter letter-{edge}")


def _waiting(calls: Handlers) -> None:
    with html.Div(classes="waiting", v_if="busy", id="waiting", raw_attrs=[':class="{alone: !opened}"']):
        html.Div("{{ job_text }}", classes="job")
        v.VProgressLinear(model_value=("job_fraction",), height=6, rounded=True, color="primary")
        v.VBtn("Cancel", size="small", variant="text", id="cancel", click=lambda: calls.jobs.cancel())
    ask_for_c2(calls)
    ask_for_pose(calls)
    ask_for_brand(calls)
    with html.Div(classes="waiting alone", v_if=f"!busy && !opened && tab === '{PLANNER}'"):
        html.Div("{{ message || 'Connecting ...' }}", classes="job", id="failed")
        v.VBtn(
            "Try again",
            v_if="message",
            size="small",
            variant="tonal",
            click=lambda: calls.jobs.begin(calls.errands.open()),
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
            v.VBtn("Forget them", id="forget", click=lambda: calls.jobs.begin(calls.errands.recover(False)))
            v.VBtn(
                "Recover", id="recover", color="primary", click=lambda: calls.jobs.begin(calls.errands.recover(True))
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


JSON_NAME = f"{{{{ tab === '{BRAND}' ? 'Answer' : 'Plan' }}}} (JSON)"


def _exported() -> None:
    with (
        v.VDialog(model_value=("!!exported.archive",), max_width=440, update_modelValue="$event || (exported = {})"),
        v.VCard(title="The case is ready"),
        v.VCardText(),
    ):
        html.P("The files hold no patient identity.")
        for name, label in (("report", "Report (HTML)"), ("plan", JSON_NAME), ("archive", "Everything (ZIP)")):
            html.A(label, classes="download", href=(f"exported.{name}",), id=f"download-{name}", raw_attrs=["download"])
