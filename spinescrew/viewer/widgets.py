"""Small things that the parts of the page share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v

from spinescrew.viewer.brand_controls import BrandControls
from spinescrew.viewer.brand_errands import BrandErrands
from spinescrew.viewer.c2_desk import C2Desk
from spinescrew.viewer.c2_errands import C2Errands
from spinescrew.viewer.controls import Controls
from spinescrew.viewer.desk import Desk
from spinescrew.viewer.errands import Errands
from spinescrew.viewer.jobs import Jobs
from spinescrew.viewer.pose_controls import PoseControls
from spinescrew.viewer.pose_errands import PoseErrands
from spinescrew.viewer.tab import Tab


class Handlers:
    """What the page calls; filled in when the server listens.

    Attributes
    ----------
    front, hand, export:
        What lies in the tab that is in front, what hears its buttons and keys, and what hands its case out.
    desk, controls:
        The same, of the tab with planned screws that was in front last.
    c2_desk, c2:
        Of the C2 tab, once it was in front.
    pose_controls, pose, brand_controls, brand:
        Of the pose tab and of the brand tab, once they were in front.
    """

    jobs: Jobs
    errands: Errands
    front: Tab
    hand: Controls | PoseControls | BrandControls
    desk: Desk
    controls: Controls
    export: Callable[[], Coroutine[Any, Any, None]]
    show_tab: Callable[[str], None]
    c2_desk: C2Desk
    c2: C2Errands
    pose_controls: PoseControls
    pose: PoseErrands
    brand_controls: BrandControls
    brand: BrandErrands

    def press(self, name: str) -> Callable[[], None]:
        """What a button of :data:`spinescrew.viewer.controls.BUTTONS` calls."""
        return lambda: self.hand.press(name)


def icon_button(
    icon: str, title: str, click: Any, *, disabled: str = "false", expression: bool = False, id: str
) -> None:
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


def check(name: str, value: str, change: Any, label: str, disabled: str) -> None:
    """A box to tick; ``value`` and ``disabled`` are JavaScript expressions."""
    with html.Label(classes="check"):
        html.Input(type="checkbox", checked=(value,), disabled=(disabled,), id=name, change=change)
        html.Span(label)


def choice(name: str, items: str, value: str, heard: Any) -> None:
    """One of several; ``items`` (each with ``name`` and ``title``) and ``value`` are JavaScript expressions.

    ``heard`` is what trame calls when another one is chosen.
    """
    with html.Select(classes="number pose-choice", id=name, change=heard):
        html.Option(
            "{{ item.title }}",
            v_for=f"item in {items}",
            key="item.name",
            value=("item.name",),
            raw_attrs=[f':selected="item.name === {value}"'],
        )
