"""Small things that the parts of the page share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trame.widgets import vuetify3 as v

from spinescrew.viewer.controls import Controls
from spinescrew.viewer.errands import Errands


class Handlers:
    """What the page calls; filled in when the case is on the desk."""

    controls: Controls
    errands: Errands
    add: Callable[[], None]
    reset_views: Callable[[], None]

    def press(self, name: str) -> Callable[[], None]:
        """What a button of :data:`spinescrew.viewer.controls.BUTTONS` calls."""
        return lambda: self.controls.press(name)


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
