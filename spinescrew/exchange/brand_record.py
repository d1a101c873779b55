"""Which system radiographs show, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import spinescrew
from spinescrew.brands.identify import BrandResult
from spinescrew.brands.names import UNKNOWN
from spinescrew.exchange.pose_record import image_hash

SCHEMA_VERSION = 1
KIND = "screw system"
_DIGITS = 6


def brand_document(result: BrandResult, *, models: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """All of an answer as JSON can hold it, without a name of a patient or a file.

    Parameters
    ----------
    models:
        Which networks spoke: name, version, sha256, provenance.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "software_version": spinescrew.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "provenance": result.provenance,
        "simulated": result.simulated,
        "names": result.names_words,
        "models": [dict(model) for model in models],
        "answer": {
            "words": result.headline,
            "known": result.known,
            "score": round(result.score, _DIGITS),
            "least_score_of_a_known_system": round(result.least, _DIGITS),
            "ranked": [{"system": name, "probability": round(p, _DIGITS)} for name, p in result.ranked],
            "ensemble": list(result.members),
        },
        "by_model": {member: _shares(result, answer.probabilities) for member, answer in result.answers.items()},
        "agreement": {
            "share_of_screws": round(result.agreement, 4) if result.votes else None,
            "words": result.agreement_words,
        },
        "images": [_image(result, view) for view in result.views],
        "warnings": list(result.warnings),
        "seconds": {name: round(value, 3) for name, value in (result.seconds or {}).items()},
    }


def _shares(result: BrandResult, shares: Any) -> dict[str, float]:
    return {result.name(brand): round(float(p), _DIGITS) for brand, p in zip(result.brands, shares, strict=False)}


def _image(result: BrandResult, view: str) -> dict[str, Any]:
    own = result.located[view]
    votes = {vote.screw: vote for vote in result.votes if vote.view == view}
    judged = [window.screw for window in result.crops[view].windows]
    return {
        "view": view,
        "sha256": image_hash(own.radiograph),
        "shape": list(own.radiograph.shape),
        "pixels_per_mm_in_the_patient": round(own.px_per_mm, 4),
        "screws": [
            {
                "number": n + 1,
                "neck": [round(float(value), 1) for value in neck],
                "tip": [round(float(value), 1) for value in tip],
                "confidence": round(float(sure), 3),
                "system": (result.name(votes[n].brand) or UNKNOWN) if n in votes else None,
                "probability": round(votes[n].probability, _DIGITS) if n in votes else None,
                "judged": n in judged,
            }
            for n, (neck, tip, sure) in enumerate(zip(own.necks, own.tips, own.confidence, strict=True))
        ],
    }
