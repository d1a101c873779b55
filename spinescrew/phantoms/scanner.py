"""What a scanner makes of a patient: point spread, slices, kernel, noise, beam hardening, drift, streaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter, uniform_filter1d

from spinescrew.phantoms.variation import Manner

Floats = NDArray[np.float64]
Field = NDArray[np.float32]
Spacing = tuple[float, float, float]

LOWEST_HU, HIGHEST_HU = -1024, 3071
THICK_MM = 2.0
_FINE_STEP_MM = 1.7


@dataclass(frozen=True)
class Scanner:
    """One scanner and its protocol.

    Attributes
    ----------
    spacing:
        Voxel size in mm; ``slice_mm`` is how thick a slice is (it may be thicker than its spacing).
    blur_mm:
        Standard deviation of the point spread in plane.
    kernel:
        ``"soft"``, ``"standard"``, ``"bone"``; held out are ``"box"`` and ``"ringing"``.
    sharpen:
        How much of what the kernel's own blur takes away is added again.
    noise, grain_mm:
        Standard deviation in HU, and size of its grains.
    cupping, gain, offset:
        Beam hardening (HU between the rim and the middle), and drift of the scale.
    """

    spacing: Spacing
    slice_mm: float
    blur_mm: float
    kernel: str
    sharpen: float
    noise: float
    grain_mm: float
    cupping: float
    gain: float
    offset: float

    @property
    def parts(self) -> int:
        """Into how many (an odd number) a voxel is cut along k to be averaged over the slice."""
        fine = max(_FINE_STEP_MM, max(self.spacing[:2]))
        return 2 * int(np.ceil((self.spacing[2] / fine - 1.0) / 2 - 1e-6)) + 1

    @property
    def painted(self) -> Spacing:
        """Voxel size in which the patient is painted before slices are averaged."""
        return self.spacing[0], self.spacing[1], self.spacing[2] / self.parts


def draw_scanner(random: np.random.Generator, manner: Manner, spacing: Spacing | None) -> Scanner:
    """A scanner of ``manner``; where ``spacing`` is given, its image as it is after resampling to that."""
    kernel = str(random.choice(manner.kernels))
    pixel = float(random.uniform(0.4, 1.1) if random.random() < 0.85 else random.uniform(1.1, 3.0))
    step = float(random.choice([0.6, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 5.0]))
    overlap = float(random.choice([1.0, 1.0, 1.0, 1.25, 1.6]))
    if spacing is None:
        spacing = (pixel, pixel, step)
    sharp = kernel in ("bone", "ringing")
    grain = {"soft": 1.0, "standard": 0.8, "bone": 0.5, "box": 1.4, "ringing": 0.6}[kernel]
    noise = float(np.clip(random.gamma(3.0, 7.0), 4.0, 60.0)) * (1.6 if sharp else 1.0)
    return Scanner(
        spacing=spacing,
        slice_mm=min(step * overlap, 6.0),
        blur_mm=float(random.uniform(0.25, 0.4) if sharp else random.uniform(0.35, 0.75)),
        kernel=kernel,
        sharpen=float(random.uniform(0.4, 1.2)) if sharp else 0.0,
        noise=noise,
        grain_mm=grain * float(random.uniform(0.8, 1.3)),
        cupping=float(random.uniform(0.0, 35.0)),
        gain=float(random.normal(1.0, 0.015)),
        offset=float(random.normal(0.0, 6.0)),
    )


def scan(painted: Field, scanner: Scanner, random: np.random.Generator) -> Field:
    """HU as the scanner gives them.

    Parameters
    ----------
    painted:
        HU (ni, nj, nk * parts) float32 in voxels of ``scanner.painted``; used up.

    Returns
    -------
    (ni, nj, nk) float32.
    """
    image = _slices(_spread(painted, scanner), scanner)
    image = _kernel(image, scanner)
    image = image * np.float32(scanner.gain) + np.float32(scanner.offset)
    image -= _cup(image.shape[:2], scanner.cupping)[:, :, None]
    image += _noise(image.shape, scanner, random)
    return image


def _spread(image: Field, scanner: Scanner) -> Field:
    sigma = scanner.blur_mm / np.array(scanner.painted[:2])
    if sigma.max() < 0.2:
        return image
    if scanner.kernel == "box":
        width = np.maximum(1, np.round(3.4 * sigma)).astype(int)
        return uniform_filter(image, (*width, 1), mode="nearest")
    return gaussian_filter(image, (*sigma, 0.0), mode="nearest", truncate=3.0)


def _slices(image: Field, scanner: Scanner) -> Field:
    step = scanner.painted[2]
    # An even width would shift the image by half a step.
    width = 2 * round((scanner.slice_mm / step - 1) / 2) + 1
    if width > 1:
        image = uniform_filter1d(image, width, axis=2, mode="nearest")
    return np.ascontiguousarray(image[:, :, scanner.parts // 2 :: scanner.parts])


def _kernel(image: Field, scanner: Scanner) -> Field:
    """Edge enhancement; the ringing kernel also undershoots a few voxels away."""
    if scanner.sharpen == 0.0:
        return image
    plane = np.array(scanner.spacing[:2])
    wide = gaussian_filter(image, (*(0.9 / plane), 0.0), mode="nearest", truncate=3.0)
    sharp = image + np.float32(scanner.sharpen) * (image - wide)
    if scanner.kernel == "ringing":
        wider = gaussian_filter(image, (*(1.8 / plane), 0.0), mode="nearest", truncate=3.0)
        sharp += np.float32(0.5 * scanner.sharpen) * (wide - wider)
    return sharp


def _cup(shape: tuple[int, ...], depth: float) -> Field:
    u, v = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    return (depth * np.clip(1.0 - u**2 - v**2, 0.0, 1.0)).astype(np.float32)


def _noise(shape: tuple[int, ...], scanner: Scanner, random: np.random.Generator) -> Field:
    """Grains in plane, stronger in the middle of the image; the box kernel's are blotches."""
    noise = random.standard_normal(shape, dtype=np.float32)
    sigma = scanner.grain_mm / 2 / np.array(scanner.spacing)
    along = min(0.5 * scanner.slice_mm / scanner.spacing[2], 1.0) * 0.6
    if sigma[:2].max() > 0.25 or along > 0.3:
        noise = gaussian_filter(noise, (sigma[0], sigma[1], along), mode="wrap", truncate=2.5)
    if scanner.kernel in ("box", "soft"):
        noise = noise - 0.6 * gaussian_filter(noise, 2.2 * np.append(sigma[:2], 0.2) + 0.3, mode="wrap", truncate=2.0)
    noise *= np.float32(scanner.noise / max(float(noise.std()), 1e-6))
    return noise * (0.8 + _cup(shape[:2], 0.45))[:, :, None]
