"""Answers of the real library to drawn films, for windows that are to show them."""

from dataclasses import replace
from functools import lru_cache, partial

from brand_teeth import CARD, find, models, pair

from spinescrew.brands.identify import identify
from spinescrew.cohort.brand_open import reference_pictures
from spinescrew.viewer.opened import Identified

FAMILIES = ("family A", "family B")
MAKERS = ("family A", "Maker X")
JUDGE = partial(identify, find=find)


@lru_cache
def identified(system="comb", views=("ap", "lat"), brands=FAMILIES, known=True, real=False):
    """An answer to drawn films; it is computed once, so nobody may change it.

    Parameters
    ----------
    known:
        Whether the ensemble takes it for one of its systems.
    real:
        Whether the models learned from real images.
    """
    own = models(brands, card=replace(CARD, generator_hash="") if real else CARD)
    images = [image for image, view in zip(pair(system), ("ap", "lat"), strict=True) if view in views]
    found = JUDGE(images, own, device="cpu")
    found = replace(found, known=known)
    if not real:
        found = replace(found, provenance=CARD.provenance)
    return Identified(found, ", ".join(f"{view.upper()}.dcm" for view in views), reference_pictures(brands))
