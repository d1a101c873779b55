"""Where the network looked when it judged a pedicle."""

from __future__ import annotations

from typing import Any

import numpy as np

from spinescrew.feasibility.judge import pedicle_image
from spinescrew.feasibility.pose import PediclePose
from spinescrew.geometry.volume import Volume

LAYER = "net.up.0"
"""Features after the last level up, at the box's own resolution: attention as fine as the image."""


def attention(model: Any, ct: Volume, pose: PediclePose, device: str = "auto") -> Volume:
    """Attention (0..1, float32) on the pedicle's box: Grad-CAM (Selvaraju et al. 2017) for the answer that was given.

    Where the answer is no, it shows what speaks against the screw.
    """
    import torch
    from monai.visualize import GradCAM

    from spinescrew.networks.device import choose_device
    from spinescrew.networks.pedicle_net import Judging

    seen = torch.from_numpy(pedicle_image(ct, pose))[None].to(choose_device(device))
    with torch.inference_mode():
        against = float(Judging(model)(seen)[0, 0]) < 0.0
    camera = GradCAM(Judging(model, against), target_layers=LAYER, postprocessing=lambda found: found)
    found = camera(seen)[0, 0].detach().cpu().numpy().astype(np.float32)
    top = float(found.max())
    return Volume(found / top if top > 0 else np.zeros_like(found), pose.box().affine)
