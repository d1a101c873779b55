"""Where the network looked when it judged a pedicle."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from spinescrew.feasibility.judge import pedicle_image
from spinescrew.feasibility.pose import PediclePose
from spinescrew.geometry.volume import Volume

_SMOOTHING_VOXELS = 2.0


def attention(model: Any, ct: Volume, pose: PediclePose, device: str = "auto") -> Volume:
    """Attention (0..1, float32) on the pedicle's box: what speaks for the answer that was given.

    Gradient times input, as Grad-CAM weights features (Selvaraju et al. 2017), but at the image itself and against its
    mean: by first order, what the answer would lose if a voxel were hidden behind that mean. Features of inner layers
    are no place to look here: after their norms most of what they hold lies where there is no bone.
    """
    import torch
    from monai.visualize import VanillaGrad

    from spinescrew.networks.device import choose_device
    from spinescrew.networks.pedicle_net import Judging

    seen = torch.from_numpy(pedicle_image(ct, pose))[None].to(choose_device(device))
    with torch.inference_mode():
        against = float(Judging(model)(seen)[0, 0]) < 0.0
    slope = VanillaGrad(Judging(model, against))(seen.clone())
    speaks = ((seen - seen.mean()) * slope)[0, 0].detach().cpu().numpy()
    found = np.maximum(gaussian_filter(speaks, _SMOOTHING_VOXELS), 0.0).astype(np.float32)
    top = float(found.max())
    return Volume(found / top if top > 0 else np.zeros_like(found), pose.box().affine)
