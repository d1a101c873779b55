"""One or two radiographs in; which system of pedicle screws they show, how sure that is, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.brands.attention import Attention, attentions
from spinescrew.brands.crop import spread_out, windows_of
from spinescrew.brands.ensemble import joined
from spinescrew.brands.locate import Located, locate
from spinescrew.brands.models import (
    AP,
    KIND_WORDS,
    LAT,
    MERGE,
    MOST_WINDOWS,
    VIEWS,
    Answer,
    BrandModels,
    Crops,
    ask,
    crops_of,
    member_name,
    member_words,
    softmax,
)
from spinescrew.brands.names import UNKNOWN, name_words, shown_name
from spinescrew.brands.unknown import NEVER, score
from spinescrew.errors import InputError
from spinescrew.feasibility.wording import percent
from spinescrew.progress import Progress
from spinescrew.radiographs.radiograph import Radiograph

Floats = NDArray[np.float64]

SURE = 0.8
"""From this probability on an answer is given without doubt in its words."""

THICKNESSES = (1.0, 0.9, 1.11, 0.8, 1.24)
"""Of screws in an image without a size that are tried, over what they were first taken for: 5.2 to 8.1 mm."""

_OTHER_SYSTEM = 0.8
_LEAST_OF_OTHER = 2
_NO_GEOMETRY = "the geometry has to"
_SAME_IMAGE = "both images are the same; give one radiograph, or two different ones of the same patient"


@dataclass(frozen=True)
class Vote:
    """What the crops of one screw in one view say: the likeliest system and its probability.

    ``brand`` is empty where a design of no known system is likelier than any of them.
    """

    view: str
    screw: int
    brand: str
    probability: float


@dataclass(frozen=True, eq=False)
class BrandResult:
    """The answer.

    Attributes
    ----------
    views:
        ``"ap"``, ``"lat"`` or both, in the order of the images given.
    located, crops:
        By view: the screws that were found, and what the models were shown of them.
    answers:
        By member, such as ``"lat"`` or ``"merge"``.
    members:
        Of the ensemble that gave the answer.
    probabilities:
        (outputs,) of the ensemble.
    brands:
        The systems known, in the order of the outputs.
    known:
        Whether any of them fits; the ranking stands for what it is worth where none does.
    score, least:
        How well the best one fits, and what it takes.
    votes:
        Of the single screws.
    attention:
        Of each model in each view.
    """

    views: tuple[str, ...]
    located: Mapping[str, Located]
    crops: Mapping[str, Crops]
    answers: Mapping[str, Answer]
    members: tuple[str, ...]
    probabilities: Floats
    brands: tuple[str, ...]
    known: bool
    score: float
    least: float
    votes: tuple[Vote, ...]
    attention: tuple[Attention, ...] = ()
    simulated: bool = True
    unlocked: bool = False
    provenance: str = ""
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] | None = None

    @property
    def ranked(self) -> tuple[tuple[str, float], ...]:
        """Systems as they may be called and their probabilities, the likeliest first."""
        order = np.argsort(-self.probabilities[: len(self.brands)], kind="stable")
        return tuple((self.name(self.brands[n]), float(self.probabilities[n])) for n in order)

    @property
    def best(self) -> int:
        """Number of the likeliest system."""
        return int(self.probabilities[: len(self.brands)].argmax())

    @property
    def agreement(self) -> float:
        """Share of the single screws whose likeliest system is that of the answer."""
        same = [vote.brand == self.brands[self.best] for vote in self.votes]
        return float(np.mean(same)) if same else float("nan")

    def name(self, brand: str) -> str:
        """What a system may be called."""
        return shown_name(brand, self.brands, self.simulated, self.unlocked)

    @property
    def headline(self) -> str:
        """The answer in a line."""
        name, probability = self.ranked[0]
        chance = f"{percent(probability)} %"
        if not self.known:
            return f"{UNKNOWN[0].upper()}{UNKNOWN[1:]} fits; the nearest is {name} ({chance})"
        return f"{name} ({chance})" if probability >= SURE else f"perhaps {name} ({chance}); look at the others, too"

    @property
    def agreement_words(self) -> str:
        """How far screws and models agree."""
        votes, top = self.votes, self.brands[self.best]
        screws = sum(vote.brand == top for vote in votes)
        said = [_likeliest(own.probabilities, self.brands)[0] for own in self.answers.values()]
        words = f"{screws} of {len(votes)} screws and {said.count(top)} of {len(said)} models say {self.name(top)}"
        strange = sum(not vote.brand for vote in votes)
        return f"{words}; {strange} of the screws fit none" if strange else words

    @property
    def names_words(self) -> str:
        """What has to be said of the names."""
        return name_words(self.brands, self.simulated, self.unlocked)


def identify(
    radiographs: Sequence[Radiograph],
    models: BrandModels,
    *,
    names: Sequence[str] = (),
    members: Sequence[str] = (),
    unlocked: bool = False,
    attention: bool = True,
    device: str = "auto",
    find: Callable[..., Any] | None = None,
    progress: Progress | None = None,
) -> BrandResult:
    """Which system one or two radiographs of a patient show.

    Parameters
    ----------
    radiographs:
        From the front, from the side, or one of each. Which is which is told by the header, else by how long the
        shafts look.
    names:
        What messages call the images.
    members:
        Of the ensemble, such as ``("ap", "lat")``; all models that can answer when left out.
    unlocked:
        Show names of a folder although models learned from simulated images, too.
    attention:
        Also ask where the models looked.
    find:
        :func:`spinescrew.radiographs.find.find_screws` when left out.

    Raises
    ------
    InputError
        If an image shows no pedicle screws, both are of one view, or there are more than two.
    """
    progress = progress or Progress()
    if not 1 <= len(radiographs) <= 2:
        raise InputError(f"one radiograph is judged, or two of one patient; {len(radiographs)} were given")
    if len(radiographs) == 2 and _same(*radiographs):
        raise InputError(_SAME_IMAGE)
    names = names or [f"image {n}" for n in range(1, len(radiographs) + 1)]
    with progress.step("find the screws", 0.0, 0.5) as part:
        found = []
        for n, (image, name) in enumerate(zip(radiographs, names, strict=True)):
            piece = part.part(n / len(radiographs), (n + 1) / len(radiographs))
            found.append(locate(image, name, device=device, find=find, progress=piece))
    views, doubts = view_of_each(found, names)
    located = dict(zip(views, found, strict=True))
    with progress.step("ask the models", 0.5, 0.8) as part:
        located, result = _best_sized(models, located, members, part)
    crops = result.crops
    warnings = (
        *(note for own in located.values() for note in (*own.radiograph.notes, *own.assumed) if _told(note)),
        *doubts,
    )
    result = replace(result, views=views, located=located, unlocked=unlocked, warnings=warnings)
    result = replace(result, warnings=(*result.warnings, *_second_system(result)))
    if attention:
        with progress.step("see where they looked", 0.8, 1.0):
            shapes = {view: own.radiograph.shape for view, own in located.items()}
            result = replace(result, attention=attentions(models, crops, shapes, result.best))
    return replace(result, seconds=dict(progress.timings_s))


def answer(models: BrandModels, crops: Mapping[str, Crops], members: Sequence[str] = ()) -> BrandResult:
    """The answer to crops alone; see :func:`identify`.

    Raises
    ------
    InputError
        If no model answers these views, or the ensemble asked for was not fitted.
    """
    views = tuple(view for view in VIEWS if view in crops)
    kinds = models.kinds_for(views)
    if not kinds:
        raise InputError(f"no installed model answers {' and '.join(KIND_WORDS[v] for v in views)} radiographs alone")
    answers = {member_name(kind, views): own for kind, own in ask(models, crops, kinds).items()}
    chosen = tuple(members) or tuple(answers)
    missing = [member for member in chosen if member not in answers]
    if missing:
        words = ", ".join(member_words(member) for member in answers)
        raise InputError(f"{', '.join(missing)} cannot answer these images; choose among {words}")
    shares = {member: answers[member].probabilities for member in chosen}
    if models.ensemble is None:
        probabilities, least = np.mean([shares[member] for member in chosen], axis=0), NEVER
    else:
        weights, bias, least = models.ensemble.values(models.ensemble.part(chosen))
        probabilities = joined(shares, models.ensemble.subsets[models.ensemble.part(chosen)], *_plain(weights, bias))
    own = float(score(probabilities, models.known))
    return BrandResult(
        views, {}, crops, answers, chosen, probabilities, models.brands, own >= least, own, least,
        _votes(answers, models.brands), simulated=models.simulated, provenance=models.provenance,
    )  # fmt: skip


def view_of_each(found: Sequence[Located], names: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """``"ap"`` or ``"lat"`` for each image, and doubts.

    Raises
    ------
    InputError
        If two images are of the same view.
    """
    told = [{"AP": AP, "LAT": LAT}.get(own.radiograph.view, "") for own in found]
    views = [header or own.view for own, header in zip(found, told, strict=True)]
    doubts = [
        f"{name} looks like a view from the {'side' if own.view == LAT else 'front'}, other than its header says"
        for own, header, name in zip(found, told, names, strict=True)
        if header and own.view != header
    ]
    if len(views) == 2 and views[0] == views[1]:
        loose = [n for n in range(2) if not told[n]]
        if not loose:
            raise InputError(f"both images are {KIND_WORDS[views[0]]} views; give one of each, or one image alone")
        # Without a header the shafts decide: longer ones are seen from the side.
        lengths = [float(np.median(np.hypot(*(own.tips - own.necks).T))) / own.px_per_mm for own in found]
        side = int(np.argmax(lengths)) if len(loose) == 2 else (loose[0] if views[1 - loose[0]] == AP else 1 - loose[0])
        views = [LAT if n == side else AP for n in range(2)]
        doubts.append(
            f"both images look like {KIND_WORDS[found[0].view]} views; {names[side]} was taken as seen from the side"
        )
    return tuple(views), doubts


def _best_sized(
    models: BrandModels, located: Mapping[str, Located], members: Sequence[str], progress: Progress
) -> tuple[dict[str, Located], BrandResult]:
    """The answer; of images whose size had to be guessed, with the size that fits a system best.

    Both views show the same screws, so a thickness that was guessed wrong is equally wrong in both.
    """
    shares = THICKNESSES if any(own.doubt for own in located.values()) else THICKNESSES[:1]
    tried = []
    for number, share in enumerate(shares):
        progress.update(number / len(shares), "crops judged")
        sized = {view: own.with_screws_of(share * own.thick_mm) for view, own in located.items()}
        tried.append((sized, answer(models, {view: _crops(own) for view, own in sized.items()}, members)))
    return max(tried, key=lambda each: each[1].score)


def _crops(located: Located) -> Crops:
    windows = windows_of(located.necks, located.tips, located.px_per_mm)
    chosen = spread_out(windows, list(located.confidence), MOST_WINDOWS)
    return crops_of(located.radiograph.dense_bright(), chosen)


def _votes(answers: Mapping[str, Answer], brands: tuple[str, ...]) -> tuple[Vote, ...]:
    """One for each screw and view, of the models that look at single crops."""
    heard: dict[tuple[str, int], list[Floats]] = {}
    for member, own in answers.items():
        if member.partition("-")[0] in (*VIEWS, MERGE):
            for shown, shares in zip(own.screws, own.single, strict=True):
                heard.setdefault(shown[0], []).append(np.log(np.maximum(shares, 1e-9)))
    votes = []
    for (view, screw), logs in sorted(heard.items()):
        votes.append(Vote(view, screw, *_likeliest(softmax(np.mean(logs, axis=0)), brands)))
    return tuple(votes)


def _second_system(result: BrandResult) -> list[str]:
    """Whether several screws plainly look like another system, as after a revision."""
    top = result.brands[result.best]
    others: dict[str, list[Vote]] = {}
    for vote in result.votes:
        if vote.brand not in (top, "") and vote.probability >= _OTHER_SYSTEM:
            others.setdefault(vote.brand, []).append(vote)
    return [
        f"{len(votes)} screws look like {result.name(brand)}, not like {result.name(top)}: there may be two systems"
        for brand, votes in others.items()
        if len(votes) >= _LEAST_OF_OTHER
    ]


def _likeliest(shares: Floats, brands: tuple[str, ...]) -> tuple[str, float]:
    """The output with the largest share, and that; ``""`` for the one of any other design."""
    top = int(shares.argmax())
    return (brands[top] if top < len(brands) else ""), float(shares[top])


def _told(note: str) -> bool:
    """Whether a note of a file matters here, where nobody asks for a geometry."""
    return _NO_GEOMETRY not in note


def _same(first: Radiograph, second: Radiograph) -> bool:
    return first.shape == second.shape and bool(np.array_equal(first.pixels, second.pixels))


def _plain(weights: Any, bias: Any) -> tuple[Floats, Floats]:
    return weights.double().cpu().numpy(), bias.double().cpu().numpy()
