"""Vertebra levels and the one numbering this project uses (VerSe's)."""

from __future__ import annotations

from enum import IntEnum

from spinescrew.errors import InputError


class Level(IntEnum):
    """A vertebra; the value is its VerSe id (S1 = 26 also stands for a whole sacrum)."""

    C1 = 1
    C2 = 2
    C3 = 3
    C4 = 4
    C5 = 5
    C6 = 6
    C7 = 7
    T1 = 8
    T2 = 9
    T3 = 10
    T4 = 11
    T5 = 12
    T6 = 13
    T7 = 14
    T8 = 15
    T9 = 16
    T10 = 17
    T11 = 18
    T12 = 19
    L1 = 20
    L2 = 21
    L3 = 22
    L4 = 23
    L5 = 24
    L6 = 25
    S1 = 26
    T13 = 28

    @property
    def label(self) -> str:
        """Name with the VerSe id beside it, as shown to people: ``"L3 (22)"``."""
        return f"{self.name} ({self.value})"

    @property
    def region(self) -> str:
        """``"cervical"``, ``"thoracic"``, ``"lumbar"`` or ``"sacral"``."""
        return {"C": "cervical", "T": "thoracic", "L": "lumbar", "S": "sacral"}[self.name[0]]


_CRANIAL_TO_CAUDAL = (
    *[Level(value) for value in range(Level.C1, Level.T12 + 1)],
    Level.T13,
    *[Level(value) for value in range(Level.L1, Level.S1 + 1)],
)


def cranial_to_caudal() -> tuple[Level, ...]:
    """All levels in anatomical order; T13 stands between T12 and L1, L6 between L5 and S1."""
    return _CRANIAL_TO_CAUDAL


def position(level: Level) -> int:
    """Rank of ``level`` from the head down (T13 and L6 have their own ranks)."""
    return _CRANIAL_TO_CAUDAL.index(level)


def parse_level(text: str) -> Level:
    """``"L3"``, ``"l3"`` or ``"22"`` to a level; raises :class:`InputError` naming what is known."""
    name = text.strip().upper()
    if name in ("SACRUM", "S"):
        return Level.S1
    if name in Level.__members__:
        return Level[name]
    if name.isdigit() and int(name) in Level._value2member_map_:
        return Level(int(name))
    raise InputError(f"'{text}' is not a vertebra level; use names such as T12, L3, S1 (C1-C7, T1-T13, L1-L6, S1)")


def parse_levels(text: str) -> tuple[Level, ...]:
    """``"L1-S1"``, ``"T12,L2-L4"`` to levels in order from the head down.

    A range leaves out T13 and L6 unless they are one of its ends: most spines have neither.
    """
    found: set[Level] = set()
    for piece in text.replace(" ", "").split(","):
        if "-" in piece:
            first, _, last = piece.partition("-")
            a, b = position(parse_level(first)), position(parse_level(last))
            ends = {parse_level(first), parse_level(last)}
            if a > b:
                raise InputError(f"the range '{piece}' runs upwards; write it from the head down, such as L1-S1")
            rare = {Level.T13, Level.L6} - ends
            found |= {level for level in _CRANIAL_TO_CAUDAL[a : b + 1] if level not in rare}
        elif piece:
            found.add(parse_level(piece))
    if not found:
        raise InputError(f"'{text}' names no vertebra level; write for example L1-S1")
    return tuple(sorted(found, key=position))
