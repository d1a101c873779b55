"""Evaluation of how well systems are named: held-out simulated patients, and patients of a user's folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spinescrew.brands.ensemble import joined
from spinescrew.brands.models import MERGE, VIEWS, BrandModels, every_member
from spinescrew.brands.names import is_family
from spinescrew.brands.unknown import score
from spinescrew.errors import InputError
from spinescrew.evaluation.brand_score import UNKNOWN, BrandScore
from spinescrew.geometry.atomic import atomic_path
from spinescrew.implants.families import UNKNOWN_FAMILIES
from spinescrew.progress import Progress
from spinescrew.radiographs.image import read_radiograph
from spinescrew.radiographs.radiograph import Radiograph

if TYPE_CHECKING:
    from spinescrew.brands.identify import BrandResult

PHANTOMS = "phantoms"
HELD_OUT, EXTERNAL = "held out", "external"
PARTS = (HELD_OUT, EXTERNAL, UNKNOWN)
COUNT = 210

NEAR_IMPLANT_MM = 5.0
"""Attention counts as on the implants up to this far from metal, in the patient."""

_FIRST_SEEDS = {HELD_OUT: 20_000, EXTERNAL: 30_000, UNKNOWN: 40_000}
_STREAM = 7015


@dataclass(frozen=True, eq=False)
class BrandImages:
    """One patient as he is judged.

    Attributes
    ----------
    metal:
        Where each image shows implants, where that is known.
    """

    case: int | str
    part: str
    brand: str
    crosslink: bool
    levels: int
    radiographs: tuple[Radiograph, ...]
    metal: tuple[NDArray[np.bool_], ...] = ()


class BrandCases(Protocol):
    """Patients by number."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> BrandImages: ...

    def describe(self) -> str:
        """How many, and of what."""
        ...


class HeldOutBrands:
    """Simulated patients of spines and constructs that training never draws, a spine each, kept in a folder.

    Parameters
    ----------
    part:
        ``"held out"``, ``"external"`` (other geometry, exposure and blur, too) or ``"unknown"`` (systems that no model
        was shown).
    names:
        Families; each in turn, every second time with a crosslink where it has one.
    """

    def __init__(self, folder: Path, part: str, count: int, names: Sequence[str]) -> None:
        from spinescrew.phantoms.xray.brand_case import brand_hash

        self.part, self._count, self._names = part, count, tuple(names)
        self._folder = Path(folder) / brand_hash().rpartition(":")[2][:12] / part.replace(" ", "-")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> BrandImages:
        seed, brand = _FIRST_SEEDS[self.part] + number, self._names[number % len(self._names)]
        crosslink = number // len(self._names) % 2 == 0
        path = self._folder / f"{seed}-{brand.replace(' ', '-')}.npz"
        if not path.is_file():
            _write(path, self._made(seed, brand, crosslink))
        return _read(path, seed, self.part, brand)

    def describe(self) -> str:
        """See :class:`BrandCases`."""
        first = _FIRST_SEEDS[self.part]
        return (
            f"{self._count} simulated patients ({self.part}) of {len(self._names)} design families, "
            f"seeds {first}-{first + self._count - 1}"
        )

    def _made(self, seed: int, brand: str, crosslink: bool) -> dict[str, Any]:
        from spinescrew.phantoms.xray import brand_scene
        from spinescrew.phantoms.xray.brand_case import make_case, metal_seen

        manner = brand_scene.EXTERNAL if self.part == EXTERNAL else brand_scene.HELD_OUT
        scene = brand_scene.make_scenes(seed, manner)[0]
        case = make_case(scene, brand, np.random.default_rng([seed, _STREAM]), crosslink=crosslink)
        held: dict[str, Any] = {"crosslink": case.crosslink, "levels": case.levels}
        for view, shot in zip(VIEWS, case.shots, strict=True):
            held[f"pixels-{view}"] = shot.radiograph.pixels.astype(np.uint16)
            held[f"dense-{view}"], held[f"step-{view}"] = shot.radiograph.bright_is_dense, shot.view.pixel_mm
            held[f"metal-{view}"] = np.packbits(metal_seen(shot), axis=1)
        return held


class FolderBrands:
    """Patients of a folder (:class:`spinescrew.training.brand_folder.FolderBrandSource`); their files are read anew."""

    def __init__(self, folder: str | Path, brands: Sequence[str]) -> None:
        from spinescrew.training.brand_folder import listed

        self._patients, self._brands = listed(Path(folder)), set(brands)

    def __len__(self) -> int:
        return len(self._patients)

    def __getitem__(self, number: int) -> BrandImages:
        patient = self._patients[number]
        part = "folder" if patient.brand in self._brands else UNKNOWN
        images = tuple(read_radiograph(path) for _, path in patient.images[:2])
        return BrandImages(patient.name, part, patient.brand or "other", patient.crosslink, 0, images)

    def describe(self) -> str:
        """See :class:`BrandCases`."""
        return f"{len(self)} patients of a user's folder"


def sources_of(
    data: str, folder: Path, count: int, parts: Sequence[str], models: BrandModels
) -> list[HeldOutBrands | FolderBrands]:
    """What ``spinescrew evaluate brand`` measures on; the simulated families that the models know are held out.

    Raises
    ------
    InputError
        If the folder cannot be used, or phantoms are asked of models that know no simulated family.
    """
    if data != PHANTOMS:
        return [FolderBrands(data, models.brands)]
    known = [brand for brand in models.brands if is_family(brand)]
    others = [name for name in UNKNOWN_FAMILIES if name not in known]
    if not known:
        raise InputError("these models know no simulated family; give --data the folder of your own test patients")
    shares = {HELD_OUT: count, EXTERNAL: count // 2, UNKNOWN: count // 2}
    names = {HELD_OUT: known, EXTERNAL: known, UNKNOWN: others}
    return [HeldOutBrands(folder, part, shares[part], names[part]) for part in parts or PARTS]


def score_patients(
    source: BrandCases,
    models: BrandModels,
    *,
    attention: bool = True,
    judge: Callable[..., BrandResult] | None = None,
    progress: Progress | None = None,
) -> Iterator[BrandScore]:
    """Judge every patient by all models and ensembles, one after the other.

    Parameters
    ----------
    attention:
        Also measure how much of it lies on the implants, where they are known; takes as long again.
    judge:
        ``judge(radiographs, models, attention=...)``; :func:`spinescrew.brands.identify.identify` when left out.
    """
    from spinescrew.brands.identify import identify

    judge, progress = judge or identify, progress or Progress()
    for number in range(len(source)):
        progress.update(number / len(source), f"patient {number + 1} of {len(source)}")
        yield _score(source[number], models, judge, attention)


def _score(images: BrandImages, models: BrandModels, judge: Callable[..., BrandResult], attention: bool) -> BrandScore:
    known: dict[str, Any] = {
        "case": images.case,
        "part": images.part,
        "brand": images.brand,
        "crosslink": images.crosslink,
        "levels": images.levels,
    }
    began = time.perf_counter()
    try:
        found = judge(images.radiographs, models, attention=False)
    except InputError as error:
        return BrandScore(**known, refused=str(error))
    seconds = time.perf_counter() - began
    shares, fits = every_subset(found, models)
    inside = _inside(found, models, images) if attention and images.metal else float("nan")
    return BrandScore(**known, shares=shares, fits=fits, attention=inside, seconds=seconds)


def every_subset(found: BrandResult, models: BrandModels) -> tuple[dict[str, tuple[float, ...]], dict[str, bool]]:
    """Probabilities of every model and ensemble that an answer holds, by its members, and whether its best one fits."""
    members = every_member(found.answers)
    shares: dict[str, tuple[float, ...]] = {}
    fits: dict[str, bool] = {}
    parts = models.ensemble.subsets if models.ensemble is not None else [(member,) for member in members]
    for number, part in enumerate(parts):
        if not set(part) <= set(members):
            continue
        probabilities, least = members[part[0]], -np.inf
        if models.ensemble is not None:
            weights, bias, least = models.ensemble.values(number)
            plain = (weights.double().cpu().numpy(), bias.double().cpu().numpy())
            probabilities = joined(members, part, *plain)
        name = "+".join(part)
        shares[name] = tuple(float(value) for value in probabilities)
        fits[name] = bool(score(probabilities, models.known) >= least)
    return shares, fits


def _inside(found: BrandResult, models: BrandModels, images: BrandImages) -> float:
    """Mean over models and views of the share of attention on the implants."""
    from spinescrew.brands.attention import attentions

    shapes = {view: own.radiograph.shape for view, own in found.located.items()}
    metal = dict(zip(found.views, images.metal, strict=True))
    shares = [
        each.share_inside(metal[each.view], NEAR_IMPLANT_MM * found.located[each.view].px_per_mm)
        for each in attentions(models, found.crops, shapes, found.best)
    ]
    return float(np.nanmean(shares)) if np.isfinite(shares).any() else float("nan")


def usual_ensemble(models: Sequence[str]) -> str:
    """The name of the ensemble that answers where nobody asks for another: that of all models to both views."""
    whole = [name for name in models if not any(member.startswith(f"{MERGE}-") for member in name.split("+"))]
    return max(whole or models, key=lambda name: name.count("+"))


def _write(path: Path, held: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **held)


def _read(path: Path, case: int, part: str, brand: str) -> BrandImages:
    with np.load(path, allow_pickle=False) as held:
        images, metal = [], []
        for view in VIEWS:
            pixels, step = held[f"pixels-{view}"].astype(np.float32), held[f"step-{view}"]
            images.append(Radiograph(pixels, bool(held[f"dense-{view}"]), step, "detector"))
            metal.append(np.unpackbits(held[f"metal-{view}"], axis=1, count=pixels.shape[1]).astype(bool))
        return BrandImages(case, part, brand, bool(held["crosslink"]), int(held["levels"]), tuple(images), tuple(metal))
