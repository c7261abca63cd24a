"""Turn DINOv2 or CLIP's image tower into a feature network for --features.

    python scripts/convert_features.py FOLDER OUTPUT [--torch PYTHON]

FOLDER is a copy of facebook/dinov2-small, -base or -large, or of openai/clip-vit-base-patch32,
-base-patch16 or -large-patch14, from the Hugging Face Hub: config.json with model.safetensors or
pytorch_model.bin. OUTPUT is a new folder, a SavedModel; labels of values show its name.

PYTHON is the interpreter of an environment with torch and transformers [this one]. The features of
the written network are compared with PyTorch's; OUTPUT is made only if they agree.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from vision_transformer import Array, Block, Dense, Layout, Norm, VisionTransformer, Weights

from autogan.core.errors import AutoGANError, ConfigError, one_line
from autogan.core.files import contents, look, made_beside
from autogan.criteria.networks.base import SavedModelNetwork

MOST = 1e-3  # difference between an image's features, relative to their length
_READER = Path(__file__).with_name("original_features.py")
_DINOV2_BLOCK = (
    ("norm1", "norm2"),
    ("attention.attention.query", "attention.attention.key", "attention.attention.value"),
    "attention.output.dense",
)
_CLIP_BLOCK = (
    ("layer_norm1", "layer_norm2"),
    ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attn.out_proj",
)


class Checkpoint:
    """A network's weights by their published names.

    Args:
        arrays: float32 and others; those of dense layers have the outputs on their first axis.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._arrays = arrays

    def array(self, name: str) -> Array:
        """The array with a name.

        Raises:
            ConfigError: if there is none.
        """
        if name not in self._arrays:
            raise ConfigError("folder", f"its weights lack {name}; use a folder named in --help")
        return self._arrays[name]

    def kernel(self, name: str) -> Array:
        """A convolution's kernel [height, width, 3, D]; published as [D, 3, height, width]."""
        return self.array(f"{name}.weight").transpose(2, 3, 1, 0)

    def norm(self, name: str) -> Norm:
        """A layer norm."""
        return Norm(self.array(f"{name}.weight"), self.array(f"{name}.bias"))

    def dense(self, *names: str) -> Dense:
        """Dense layers as one, with their outputs next to each other."""
        kernels = [self.array(f"{name}.weight").T for name in names]
        biases = [self.array(f"{name}.bias") for name in names]
        return Dense(np.concatenate(kernels, axis=1), np.concatenate(biases))

    def blocks(
        self, prefix: str, norms: Sequence[str], query_key_value: Sequence[str], attended: str
    ) -> list[Block]:
        """All blocks; the names are those of their layers, after the prefix and a number."""
        starts: list[str] = []
        while f"{(start := f'{prefix}{len(starts)}.')}{attended}.bias" in self._arrays:
            starts.append(start)
        return [
            Block(
                attention_norm=self.norm(start + norms[0]),
                query_key_value=self.dense(*(start + name for name in query_key_value)),
                attended=self.dense(start + attended),
                dense_norm=self.norm(start + norms[1]),
                expand=self.dense(f"{start}mlp.fc1"),
                reduce=self.dense(f"{start}mlp.fc2"),
            )
            for start in starts
        ]


def dinov2(checkpoint: Checkpoint) -> Weights:
    """DINOv2 (Oquab et al., 2023, arXiv:2304.07193): the class token after the last norm."""
    patches = "embeddings.patch_embeddings.projection"
    positions = checkpoint.array("embeddings.position_embeddings")[0]
    class_token = checkpoint.array("embeddings.cls_token")[0]  # [1, D]
    biases = np.broadcast_to(checkpoint.array(f"{patches}.bias"), positions[1:].shape)
    blocks = checkpoint.blocks("encoder.layer.", *_DINOV2_BLOCK)
    for number, block in enumerate(blocks):
        scales = (
            checkpoint.array(f"encoder.layer.{number}.layer_scale{place}.lambda1")
            for place in (1, 2)
        )
        attended, reduce = map(_scaled, (block.attended, block.reduce), scales)
        blocks[number] = block._replace(attended=attended, reduce=reduce)
    return Weights(
        patches=checkpoint.kernel(patches),
        positions=positions + np.concatenate([class_token, biases]),
        before=None,
        blocks=blocks,
        after=checkpoint.norm("layernorm"),
        projection=None,
    )


def clip(checkpoint: Checkpoint) -> Weights:
    """CLIP's image tower (Radford et al., 2021, arXiv:2103.00020): the projected class token."""
    embeddings = "vision_model.embeddings"
    positions = checkpoint.array(f"{embeddings}.position_embedding.weight").copy()
    positions[0] += checkpoint.array(f"{embeddings}.class_embedding")
    return Weights(
        patches=checkpoint.kernel(f"{embeddings}.patch_embedding"),
        positions=positions,
        before=checkpoint.norm("vision_model.pre_layrnorm"),
        blocks=checkpoint.blocks("vision_model.encoder.layers.", *_CLIP_BLOCK),
        after=checkpoint.norm("vision_model.post_layernorm"),
        projection=checkpoint.array("visual_projection.weight").T,
    )


def _scaled(layer: Dense, scale: Array) -> Dense:
    """A dense layer whose outputs are multiplied by a number each."""
    return Dense(layer.kernel * scale, layer.bias * scale)


KINDS = {"dinov2": dinov2, "clip": clip}
"""Weights from a checkpoint, by `model_type` in the folder's config.json."""


def convert(folder: Path, output: Path, python: str) -> None:
    """Write a folder's network as a SavedModel, and print the digests of both.

    Args:
        folder: with config.json and the weights.
        output: a new folder.
        python: interpreter with torch and transformers.

    Raises:
        ConfigError: if the output exists, the folder cannot be used, or the features differ.
    """
    if look(output, "output"):
        raise ConfigError("output", f"{output} exists; give a new folder")
    kind = _kind(folder)
    with tempfile.TemporaryDirectory() as scratch, made_beside(output) as made:
        original = _original(python, kind, folder, Path(scratch, "original.npz"))
        print(f"read {folder}: weights with SHA-256 {original['digest']}")
        layout = Layout(**json.loads(str(original["layout"])))
        network = VisionTransformer(layout, KINDS[kind](Checkpoint(original)))
        tf.saved_model.save(network, str(made))
        written = SavedModelNetwork(None, made)
        features = written.features(original["images"]).pool
        difference = _difference(features, original["features"])
        print(f"features of {len(features)} images differ by {difference:.1e} of their length")
        if not difference <= MOST:
            raise ConfigError("folder", f"{folder}: more than {MOST}, so {output} is not written")
    print(f"wrote {output}: SavedModel with SHA-256 {written.weights_hash}")


def _kind(folder: Path) -> str:
    """The name among `KINDS` in a folder's config.json."""
    file = folder / "config.json"
    try:
        kind = dict(json.loads(contents(file))).get("model_type")
    except (OSError, TypeError, ValueError) as error:
        raise ConfigError("folder", f"{file} cannot be read ({one_line(error)})") from None
    if kind not in KINDS:
        raise ConfigError("folder", f"{file} names {kind}; give one of {' or '.join(KINDS)}")
    return str(kind)


def _original(python: str, kind: str, folder: Path, file: Path) -> Mapping[str, npt.NDArray[Any]]:
    """The arrays that original_features.py writes."""
    command = [python, str(_READER), kind, str(folder), str(file)]
    try:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise ConfigError("torch", f"{python} cannot be run ({error.strerror})") from None
    if done.returncode:
        last = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise ConfigError("folder", f"{folder} cannot be read by {python} ({last})")
    return dict(np.load(file))


def _difference(features: Array, expected: Array) -> float:
    """The largest distance between two vectors [N, D], relative to the length of the second."""
    apart = np.linalg.norm(features - expected, axis=1)
    return float(np.max(apart / np.linalg.norm(expected, axis=1)))


def main() -> None:
    """Convert the named folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="copy of a network from the Hub")
    parser.add_argument("output", type=Path, help="new folder for the SavedModel")
    parser.add_argument(
        "--torch", metavar="PYTHON", default=sys.executable, help="has torch and transformers"
    )
    given = parser.parse_args()
    try:
        convert(given.folder, given.output, given.torch)
    except AutoGANError as error:
        parser.exit(error.exit_code, f"{error}\n")


if __name__ == "__main__":
    main()
