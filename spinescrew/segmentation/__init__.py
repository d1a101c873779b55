"""From a CT to labelled, named vertebrae: engines behind one interface, and the checks around them."""

from spinescrew.segmentation.engine import Engine, Segmentation
from spinescrew.segmentation.intake import ImageWarning, check_image
from spinescrew.segmentation.label_checks import check_segmentation
from spinescrew.segmentation.registry import EngineOptions, EngineState, engines, get_engine, list_engines

__all__ = [
    "Engine",
    "EngineOptions",
    "EngineState",
    "ImageWarning",
    "Segmentation",
    "check_image",
    "check_segmentation",
    "engines",
    "get_engine",
    "list_engines",
]
