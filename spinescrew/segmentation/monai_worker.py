"""The process in which a MONAI bundle runs: ``python -m spinescrew.segmentation.monai_worker BUNDLE IMAGE LABELS``.

Its standard output carries lines of progress and one line of error, its exit code the rest.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

ERROR = "error: "
_PROGRESS = re.compile(r"^progress (\d\.\d+)")


class BundleError(Exception):
    """The bundle cannot be run as it is."""


def fraction_of(line: str) -> float | None:
    """The fraction that a line of this process's output stands for."""
    found = _PROGRESS.match(line)
    return float(found.group(1)) if found else None


def main(bundle: Path, image: Path, result: Path) -> int:
    """Run ``bundle`` on the NIfTI file ``image`` and write its label map; 0 if that went well."""
    sys.path.insert(1, str(bundle))  # a bundle may bring modules of its own
    try:
        run_bundle(bundle, image, result)
    except BundleError as error:
        _say(f"{ERROR}{error}")
        return 2
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        memory = isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
        _say(f"{ERROR}{'the bundle ran out of memory' if memory else f'the bundle failed: {text[:300]}'}")
        return 1
    return 0


def run_bundle(bundle: Path, image: Path, result: Path) -> None:
    """Preprocessing, inferer and postprocessing as the bundle's inference configuration says.

    Raises
    ------
    BundleError
        If a piece of the configuration is missing.
    """
    import torch
    from monai.data import MetaTensor

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    parser = _parser(bundle, device)
    _say("progress 0.05 read the bundle")
    network = _network(bundle, parser, device)
    before, inferer = (_content(parser, key) for key in ("preprocessing", "inferer"))
    item = before({"image": str(image)})
    _say("progress 0.20 predict")
    source = item["image"]
    with torch.no_grad():
        output = inferer(source[None].to(device), network)
    if isinstance(output, list | tuple):
        output = output[0]
    plain = output.as_tensor() if isinstance(output, MetaTensor) else output
    item["pred"] = MetaTensor(plain[0].cpu(), affine=source.affine)
    _say("progress 0.80 put the labels in place")
    if "postprocessing" in parser:
        item = _content(parser, "postprocessing")(item)
    _save(item["pred"], result)


def _parser(bundle: Path, device: Any) -> Any:
    """The configuration, with this folder and this device, and without anything that writes files."""
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    path = next(found for suffix in ("json", "yaml") if (found := bundle / f"configs/inference.{suffix}").is_file())
    try:
        parser.read_config(str(path))
    except ValueError as error:
        raise BundleError(f"{path.name} cannot be read ({error})") from error
    parser.set(str(bundle), "bundle_root")
    parser.set(f"$torch.device('{device}')", "device")
    steps = parser.get("postprocessing::transforms")
    if isinstance(steps, list):
        parser["postprocessing::transforms"] = [step for step in steps if "SaveImage" not in step.get("_target_", "")]
    parser.parse()
    for n in range(len(parser.get("imports") or [])):
        parser.get_parsed_content(f"imports::{n}")
    return parser


def _content(parser: Any, key: str) -> Any:
    if key not in parser:
        raise BundleError(f"its inference configuration has no '{key}'")
    return parser.get_parsed_content(key)


def _network(bundle: Path, parser: Any, device: Any) -> Any:
    """The TorchScript network, or the one of the configuration with the weights of ``model.pt``."""
    import torch

    script = bundle / "models/model.ts"
    if script.is_file():
        return torch.jit.load(str(script), map_location=device).eval()
    key = next((name for name in ("network_def", "network") if name in parser), None)
    if key is None:
        raise BundleError("it has weights only (model.pt) and its configuration has no 'network_def'")
    network = _content(parser, key).to(device)
    weights = torch.load(bundle / "models/model.pt", map_location=device, weights_only=True)
    network.load_state_dict(weights.get("model", weights))
    return network.eval()


def _save(prediction: Any, result: Path) -> None:
    """Write labels: the largest of several channels, or the values of one."""
    import nibabel
    import numpy as np

    array = np.asarray(prediction.cpu())
    labels = array.argmax(axis=0) if array.shape[0] > 1 else np.round(array[0])
    affine = np.asarray(prediction.affine, dtype=np.float64)
    nibabel.save(nibabel.Nifti1Image(labels.astype(np.int16), affine), result)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:4])))
