"""Errors a user can act on. Anything else that escapes is a defect of the program."""

from __future__ import annotations


class SpineScrewError(Exception):
    """An error whose one-line message says what is wrong, where, and what to do about it."""


class InputError(SpineScrewError):
    """A file or a parameter given by the user cannot be used as it is."""


class OtherImageError(InputError):
    """A plan belongs to another image than the one at hand; a person may confirm that it fits nevertheless."""


class GeometryError(SpineScrewError):
    """A shape is too small, too broken or too incomplete for the measure that was asked of it."""
