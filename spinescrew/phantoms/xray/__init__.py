"""Simulated patients before the X-ray tube: whole trunks with constructs of screws, and their radiographs."""

from spinescrew.phantoms.xray.hash import generator_hash, patients_hash
from spinescrew.phantoms.xray.pair import XrayPair, held_out_pair, pair_of
from spinescrew.phantoms.xray.patient import XrayPatient, make_patient

__all__ = [
    "XrayPair",
    "XrayPatient",
    "generator_hash",
    "held_out_pair",
    "make_patient",
    "pair_of",
    "patients_hash",
]
