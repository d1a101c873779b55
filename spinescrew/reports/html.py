"""What every HTML report is put together with."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any


def rendered(template: str, **values: Any) -> str:
    """A template of this package, filled; a name without a value is an error, and no value becomes markup."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("spinescrew.reports", "templates")
    environment = Environment(
        loader=loader, undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(**values)


def data_uri(png: bytes) -> str:
    """A picture as it stands in the page itself."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def now() -> str:
    """``2026-11-20 10:15 UTC``."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def times(seconds: dict[str, float]) -> dict[str, Any]:
    """Step times and their sum, as the templates want them."""
    return {
        "timings": [(name, f"{value:.2f}") for name, value in seconds.items()],
        "total_s": f"{sum(seconds.values()):.2f}",
    }
