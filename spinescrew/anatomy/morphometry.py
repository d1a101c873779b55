"""Usual sizes and angles by level, for starting points and plausibility checks; never a substitute for measuring.

Pedicle columns follow Zindrick (1987) type values, S1 Okutan (2003). Populations differ by 1-2 mm; 10 degrees is the
band within which an angle is called usual. The sagittal angle is not given: sources disagree even in its sign.
"""

from __future__ import annotations

from dataclasses import dataclass

from spinescrew.anatomy.levels import Level


@dataclass(frozen=True)
class UsualPedicle:
    """Outer width and height of the isthmus in mm, transverse angle (PTA) in degrees."""

    width_mm: float
    height_mm: float
    pta_deg: float


_USUAL = {
    Level.T1: UsualPedicle(7.9, 9.9, 27),
    Level.T2: UsualPedicle(7.0, 12.0, 20),
    Level.T3: UsualPedicle(5.6, 12.4, 15),
    Level.T4: UsualPedicle(4.7, 12.1, 14),
    Level.T5: UsualPedicle(4.5, 11.9, 11),
    Level.T6: UsualPedicle(5.2, 12.2, 10),
    Level.T7: UsualPedicle(5.3, 12.1, 9),
    Level.T8: UsualPedicle(5.9, 12.5, 8),
    Level.T9: UsualPedicle(6.1, 13.9, 8),
    Level.T10: UsualPedicle(6.3, 14.9, 5),
    Level.T11: UsualPedicle(7.8, 17.4, 1),
    Level.T12: UsualPedicle(7.1, 15.8, -4),
    Level.T13: UsualPedicle(7.9, 15.6, 3),
    Level.L1: UsualPedicle(8.7, 15.4, 11),
    Level.L2: UsualPedicle(8.9, 15.0, 12),
    Level.L3: UsualPedicle(10.3, 14.9, 14),
    Level.L4: UsualPedicle(12.9, 14.8, 18),
    Level.L5: UsualPedicle(18.0, 14.0, 30),
    Level.L6: UsualPedicle(18.0, 14.0, 30),
    Level.S1: UsualPedicle(22.3, 13.6, 42),
}

USUAL_BAND_DEG = 10.0


def usual_pedicle(level: Level) -> UsualPedicle | None:
    """Usual pedicle of a level, ``None`` for the cervical spine."""
    return _USUAL.get(level)
