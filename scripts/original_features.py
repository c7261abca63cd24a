"""Read DINOv2 or CLIP's image tower with PyTorch, on behalf of convert_features.py.

    python original_features.py {dinov2,clip} FOLDER FILE.npz

FILE gets the weights by their published names, the digest of the file that they came from, images
and their features, and the layout (see vision_transformer.py). This is a process of its own because
PyTorch and TensorFlow in one process can crash. It executes nothing in the folder.
"""

import hashlib
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import transformers
from PIL import Image
from safetensors.torch import load as read_safetensors
from transformers import image_utils

Colours = tuple[Sequence[float], Sequence[float]]  # means and deviations, red, green, blue
Tensors = dict[str, torch.Tensor]

_IMAGES = 8  # for the comparison
_DINOV2_SIZE = 224  # pixels of a side, as in arXiv:2306.04675; it was trained at 518
_POSITIONS = "embeddings.position_embeddings"  # DINOv2's


class Original(NamedTuple):
    """A network; ``features`` maps normalised colours [N, 3, size, size] to [N, D], float32."""

    config: Any
    size: int
    colours: Colours
    features: Callable[[torch.Tensor], torch.Tensor]


def dinov2(folder: Path, weights: Tensors) -> Original:
    """DINOv2; its positions, also those among the weights, become those for 224 pixels."""
    network = transformers.Dinov2Model.from_pretrained(folder).eval()
    weights[_POSITIONS] = positions(weights[_POSITIONS], _DINOV2_SIZE // network.config.patch_size)
    network.embeddings.position_embeddings.data = weights[_POSITIONS]
    colours = (image_utils.IMAGENET_DEFAULT_MEAN, image_utils.IMAGENET_DEFAULT_STD)
    return Original(network.config, _DINOV2_SIZE, colours, lambda x: network(x).pooler_output)


def clip(folder: Path, weights: Tensors) -> Original:
    """CLIP's image tower, with its projection."""
    network = transformers.CLIPVisionModelWithProjection.from_pretrained(folder).eval()
    size = network.config.image_size
    colours = (image_utils.OPENAI_CLIP_MEAN, image_utils.OPENAI_CLIP_STD)
    return Original(network.config, size, colours, lambda x: network(x).image_embeds)


def positions(table: torch.Tensor, side: int) -> torch.Tensor:
    """DINOv2's positions of its class token and patches, for a square of another side.

    Like the authors' code, this adds 0.1 to the side, which moves the patches a little;
    transformers does not.

    Args:
        table: float32 [1, 1 + patches, D].
        side: number of patches.

    Returns:
        float32 [1, 1 + side * side, D].
    """
    trained = round((table.shape[1] - 1) ** 0.5)
    square = table[:, 1:].mT.reshape(1, -1, trained, trained)
    scale = (side + 0.1) / trained
    square = torch.nn.functional.interpolate(square, scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([table[:, :1], square.flatten(2).mT], dim=1)


def read(folder: Path) -> tuple[Tensors, str]:
    """The weights in a folder as float32, and the SHA-256 of their file."""
    file = folder / "model.safetensors"
    if file.exists():
        data = file.read_bytes()
        tensors = read_safetensors(data)
    else:
        data = (folder / "pytorch_model.bin").read_bytes()
        tensors = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return {n: tensor.float() for n, tensor in tensors.items()}, hashlib.sha256(data).hexdigest()


def main(kind: str, folder: Path, file: Path) -> None:
    """Write the file."""
    transformers.utils.logging.set_verbosity_error()
    weights, digest = read(folder)
    original = {"dinov2": dinov2, "clip": clip}[kind](folder, weights)
    config, size = original.config, original.size
    images = _images(size)
    mean, deviation = original.colours
    colours = (images / 255.0 - np.array(mean)) / np.array(deviation)
    with torch.inference_mode():
        features = original.features(torch.tensor(colours.transpose(0, 3, 1, 2)).float())
    layout = {
        "size": size,
        "heads": config.num_attention_heads,
        "epsilon": config.layer_norm_eps,
        "activation": config.hidden_act,
        "mean": mean,
        "deviation": deviation,
    }
    arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in weights.items()}
    known = {"images": images, "features": features.numpy(), "digest": digest}
    np.savez(file, **arrays, **known, layout=json.dumps(layout))


def _images(size: int) -> npt.NDArray[np.uint8]:
    """Smooth random pictures, uint8 [N, size, size, 3]."""
    small = np.random.default_rng(0).integers(0, 256, (_IMAGES, 16, 16, 3)).astype(np.uint8)
    return np.stack([np.array(Image.fromarray(each).resize((size, size))) for each in small])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
