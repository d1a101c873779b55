"""What needs torch or MONAI, training aside: architectures, weight files, the choice of a device, tiling.

Importing this package loads neither; the modules of the architectures, :mod:`canny` and the functions that compute do.
"""

from spinescrew.networks.card import ModelCard
from spinescrew.networks.device import choose_device, mixed_precision
from spinescrew.networks.intensity import network_input
from spinescrew.networks.weights import ModelEntry, list_models, load_model, save_model

__all__ = [
    "ModelCard",
    "ModelEntry",
    "choose_device",
    "list_models",
    "load_model",
    "mixed_precision",
    "network_input",
    "save_model",
]
