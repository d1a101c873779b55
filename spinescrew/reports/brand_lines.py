"""What is said of an answer which system radiographs show, line by line: for the report and for windows."""

from __future__ import annotations

from dataclasses import dataclass

from spinescrew.brands.identify import BrandResult, Vote
from spinescrew.brands.models import about_installed, member_words
from spinescrew.brands.names import never_saw
from spinescrew.feasibility.wording import percent
from spinescrew.reports.palette import GRADE_COLOURS, UNGRADED, screw_colour

VIEW_WORDS = {"ap": "From the front (AP)", "lat": "From the side (lateral)"}
_LIKELY = 0.5
NOT_KNOWN = "The ranking stands for what it is worth: the models were not shown a system that looks like this one."


@dataclass(frozen=True)
class SystemLine:
    """One system: its probability in words, in percent for its bar, and by each model.

    Attributes
    ----------
    number:
        Of the system in ``result.brands``.
    """

    name: str
    chance: str
    width: float
    models: tuple[str, ...]
    colour: str
    number: int


@dataclass(frozen=True)
class ScrewLine:
    """One screw of one view that was judged: its number, its colour, what it says, and whether that is the answer."""

    view: str
    number: int
    colour: str
    said: str
    agrees: bool


def headline(result: BrandResult) -> str:
    """The answer in a line that begins as a sentence does."""
    return f"{result.headline[:1].upper()}{result.headline[1:]}".replace(" %", "\u202f%")


def answer_colour(result: BrandResult) -> str:
    """Of the answer: a known system, or none."""
    return GRADE_COLOURS["A"] if result.known else GRADE_COLOURS["C"]


def banner_words(result: BrandResult) -> str:
    """What stands above an answer at all times: what the models learned from, and what that means for names."""
    return _banner(result.provenance, result.names_words)


def installed_words() -> str:
    """The same before there is an answer: of the models that are installed, or that there are none."""
    reason, provenance = about_installed()
    return f"{reason[:1].upper()}{reason[1:]}." if reason else _banner(provenance, "")


def _banner(provenance: str, names: str) -> str:
    return " ".join(text for text in (f"{provenance}." if provenance else "", never_saw(provenance), names) if text)


def answer_words(result: BrandResult) -> str:
    """How far screws and models agree, how they were joined, and what an unknown system means for the ranking."""
    members = " + ".join(member_words(member) for member in result.members)
    agreed = f"{result.agreement_words[:1].upper()}{result.agreement_words[1:]}"
    told = f"{agreed}. The answer joins {members} by logistic regression."
    return told if result.known else f"{told} {NOT_KNOWN}"


def view_words(result: BrandResult) -> tuple[tuple[str, str], ...]:
    """For each radiograph what it is, and how many of its screws agree with the answer."""
    name, found = result.name(result.brands[result.best]), []
    for view in result.views:
        own = [line.agrees for line in screw_lines(result) if line.view == view]
        found.append((VIEW_WORDS[view], f"{sum(own)} of {len(own)} screws say {name}"))
    return tuple(found)


def system_lines(result: BrandResult) -> tuple[SystemLine, ...]:
    """Every system, the likeliest first."""
    order = (-result.probabilities[: len(result.brands)]).argsort(kind="stable")
    top = result.best
    return tuple(
        SystemLine(
            result.name(result.brands[n]),
            share_words(float(result.probabilities[n])),
            100.0 * float(result.probabilities[n]),
            tuple(share_words(float(own.probabilities[n])) for own in result.answers.values()),
            answer_colour(result) if n == top else UNGRADED,
            int(n),
        )
        for n in order
    )


def other_words(result: BrandResult) -> str:
    """Probability that it is none of the systems, where models have an output for it."""
    if len(result.probabilities) == len(result.brands):
        return ""
    return share_words(float(result.probabilities[-1]))


def screw_lines(result: BrandResult) -> tuple[ScrewLine, ...]:
    """Every screw that was judged, view by view."""
    votes = {(vote.view, vote.screw): vote for vote in result.votes}
    top = result.brands[result.best]
    found = []
    for view in result.views:
        for window in result.crops[view].windows:
            vote, number = votes.get((view, window.screw)), window.screw + 1
            agrees = vote is not None and vote.brand == top
            found.append(ScrewLine(view, number, screw_colour(number), vote_words(result, vote), agrees))
    return tuple(found)


def vote_words(result: BrandResult, vote: Vote | None) -> str:
    """What one screw says; nothing where no model looks at single ones."""
    if vote is None:
        return ""
    if not vote.brand:
        return f"fits none, {share_words(vote.probability)}"
    nearest = "nearest " if vote.probability < _LIKELY else ""
    return f"{nearest}{result.name(vote.brand)}, {share_words(vote.probability)}"


def short_words(words: str) -> str:
    """The same where there is little room: ``"<1 %"``."""
    return words.replace("under ", "<").replace("over ", ">")


def share_words(share: float) -> str:
    """A probability as it is printed."""
    return f"{percent(share)}\u202f%"
