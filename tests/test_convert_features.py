"""Vision transformers as feature networks, against NumPy and against the originals by PyTorch."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.special import erf, expit, softmax

from autogan.core.errors import ConfigError
from autogan.criteria.networks.base import SavedModelNetwork

SCRIPTS = Path(__file__).parents[1] / "scripts"
WIDTH, WIDE, HEADS, DEPTH, PATCH, SIZE = 8, 16, 2, 2, 14, 28
TOKENS = 1 + (SIZE // PATCH) ** 2
LAYOUT = {
    "size": SIZE, "heads": HEADS, "mean": [0.5, 0.4, 0.3], "deviation": [0.2, 0.3, 0.4],
}  # fmt: skip
LAYOUTS = {
    "dinov2": {**LAYOUT, "epsilon": 0.01, "activation": "gelu"},
    "clip": {**LAYOUT, "epsilon": 0.1, "activation": "quick_gelu"},
}


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)  # where it finds its neighbours
        yield importlib.import_module("convert_features")


def arrays(kind):
    """Random weights of a tiny network, by the names of the published files."""
    rng = np.random.default_rng(5)
    found = {}

    def draw(name, *shape):
        found[name] = rng.normal(size=shape).astype(np.float32) / 2

    def layer(name, outputs, inputs):
        draw(f"{name}.weight", outputs, inputs)
        draw(f"{name}.bias", outputs)

    def norm(name):
        draw(f"{name}.weight", WIDTH)
        draw(f"{name}.bias", WIDTH)

    if kind == "dinov2":
        draw("embeddings.cls_token", 1, 1, WIDTH)
        draw("embeddings.position_embeddings", 1, TOKENS, WIDTH)
        draw("embeddings.patch_embeddings.projection.weight", WIDTH, 3, PATCH, PATCH)
        draw("embeddings.patch_embeddings.projection.bias", WIDTH)
        norm("layernorm")
        start, norms = "encoder.layer", ("norm1", "norm2")
        inner = [f"attention.attention.{each}" for each in ("query", "key", "value")]
        inner.append("attention.output.dense")
    else:
        draw("vision_model.embeddings.class_embedding", WIDTH)
        draw("vision_model.embeddings.position_embedding.weight", TOKENS, WIDTH)
        draw("vision_model.embeddings.patch_embedding.weight", WIDTH, 3, PATCH, PATCH)
        norm("vision_model.pre_layrnorm")
        norm("vision_model.post_layernorm")
        draw("visual_projection.weight", 6, WIDTH)
        start, norms = "vision_model.encoder.layers", ("layer_norm1", "layer_norm2")
        inner = [f"self_attn.{each}_proj" for each in ("q", "k", "v", "out")]
    for number in range(DEPTH):
        block = f"{start}.{number}"
        for each in norms:
            norm(f"{block}.{each}")
        for each in inner:
            layer(f"{block}.{each}", WIDTH, WIDTH)
        layer(f"{block}.mlp.fc1", WIDE, WIDTH)
        layer(f"{block}.mlp.fc2", WIDTH, WIDE)
        if kind == "dinov2":
            draw(f"{block}.layer_scale1.lambda1", WIDTH)
            draw(f"{block}.layer_scale2.lambda1", WIDTH)
    return found


def written_out(kind, w, image):
    """The features of one image, uint8 [SIZE, SIZE, 3], token by token in float64."""
    layout = LAYOUTS[kind]
    w = {name: array.astype(np.float64) for name, array in w.items()}
    x = (image / 255.0 - layout["mean"]) / layout["deviation"]

    def norm(token, name):
        apart = token - token.mean()
        unit = apart / np.sqrt((apart**2).mean() + layout["epsilon"])
        return unit * w[f"{name}.weight"] + w[f"{name}.bias"]

    def layer(token, name):
        return w[f"{name}.weight"] @ token + w[f"{name}.bias"]

    def active(a):
        return a * expit(1.702 * a) if kind == "clip" else a * (1 + erf(a / np.sqrt(2))) / 2

    if kind == "dinov2":
        patch, table = "embeddings.patch_embeddings.projection", "embeddings.position_embeddings"
        places, first = w[table][0], w["embeddings.cls_token"][0, 0]
        bias, start, scaled = w[f"{patch}.bias"], "encoder.layer", True
        before, after = None, "layernorm"
        names = [f"attention.attention.{each}" for each in ("query", "key", "value")]
        names += ["attention.output.dense", "norm1", "norm2"]
    else:
        patch, start = "vision_model.embeddings.patch_embedding", "vision_model.encoder.layers"
        places = w["vision_model.embeddings.position_embedding.weight"]
        first, bias, scaled = w["vision_model.embeddings.class_embedding"], 0.0, False
        before, after = "vision_model.pre_layrnorm", "vision_model.post_layernorm"
        names = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]
        names += ["self_attn.out_proj", "layer_norm1", "layer_norm2"]
    tokens = [first]
    for top in range(0, SIZE, PATCH):
        for left in range(0, SIZE, PATCH):
            square = x[top : top + PATCH, left : left + PATCH]
            tokens.append(np.einsum("dchw,hwc->d", w[f"{patch}.weight"], square) + bias)
    tokens = [token + place for token, place in zip(tokens, places, strict=True)]
    if before:
        tokens = [norm(token, before) for token in tokens]
    for number in range(DEPTH):
        q, k, v, out, norm1, norm2 = (f"{start}.{number}.{name}" for name in names)
        seen = [norm(token, norm1) for token in tokens]
        queries, keys, values = ([layer(token, each) for token in seen] for each in (q, k, v))
        scales = [1.0, 1.0]
        if scaled:
            scales = [w[f"{start}.{number}.layer_scale{n}.lambda1"] for n in (1, 2)]
        for place, query in enumerate(queries):
            mixed = []
            for head in np.split(np.arange(WIDTH), HEADS):
                scores = [query[head] @ key[head] / np.sqrt(len(head)) for key in keys]
                mixed.append(softmax(scores) @ [value[head] for value in values])
            tokens[place] = tokens[place] + scales[0] * layer(np.concatenate(mixed), out)
        for place, token in enumerate(tokens):
            wide = active(layer(norm(token, norm2), f"{start}.{number}.mlp.fc1"))
            tokens[place] = token + scales[1] * layer(wide, f"{start}.{number}.mlp.fc2")
    pool = norm(tokens[0], after)
    return w["visual_projection.weight"] @ pool if kind == "clip" else pool


IMAGES = np.random.default_rng(1).integers(0, 256, (3, SIZE, SIZE, 3)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Makes a folder of a kind, without weights: a stand-in for PyTorch gives these."""

    def make(kind):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "config.json").write_text(json.dumps({"model_type": kind}))
        return tmp_path / kind

    return make


def original(kind):
    """The arrays that original_features.py would write; the features are NumPy's."""
    weights = arrays(kind)
    features = np.stack([written_out(kind, weights, image) for image in IMAGES])
    words = {"layout": np.array(json.dumps(LAYOUTS[kind])), "digest": np.array("abc")}
    return {**weights, **words, "images": IMAGES, "features": features}


@pytest.mark.parametrize("kind", ["dinov2", "clip"])
def test_a_converted_network_computes_the_equations(script, folder, monkeypatch, capsys, kind):
    known = original(kind)
    monkeypatch.setattr(script, "_original", lambda *_: known)
    output = folder(kind).with_name("net")
    script.convert(output.with_name(kind), output, "python")
    network = SavedModelNetwork(None, output)
    assert (network.name, network.classes) == ("net", 0)
    features = network.features(IMAGES).pool
    np.testing.assert_allclose(features, known["features"], rtol=2e-4, atol=2e-5)
    assert network.weights_hash in capsys.readouterr().out
    grey = network.features(np.zeros([2, 9, 7, 1], np.uint8)).pool  # of any size
    colour = network.features(np.zeros([2, SIZE, SIZE, 3], np.uint8)).pool
    np.testing.assert_array_equal(grey, colour)


def test_a_network_with_other_features_is_not_written(script, folder, monkeypatch):
    known = original("clip")
    known["features"] *= 1 + 2 * script.MOST
    monkeypatch.setattr(script, "_original", lambda *_: known)
    output = folder("clip").with_name("net")
    with pytest.raises(ConfigError, match="folder: .*clip: more than 0.001, so .*net is not writt"):
        script.convert(output.with_name("clip"), output, "python")
    assert not output.exists()


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (64, 64), (256, 256), (100, 60)])
def test_images_are_resized_as_by_pillow(script, shape):
    image = np.random.default_rng(2).integers(0, 256, (*shape, 3)).astype(np.uint8)
    theirs = np.asarray(Image.fromarray(image).resize((224, 224), Image.Resampling.BICUBIC))
    network = importlib.import_module("vision_transformer")
    mine = network.resized(image[None].astype(np.float32), 224)[0].numpy()
    apart = np.abs(mine - theirs.astype(np.float32))
    assert apart.max() <= 2  # float32 and Pillow's whole numbers round apart now and then
    assert (apart > 0).mean() < 0.01


def test_bad_input_gets_a_line(script, folder, tmp_path):
    there = folder("bert")
    free = tmp_path / "net"
    with pytest.raises(ConfigError, match="output: .*bert exists; give a new folder"):
        script.convert(there, there, "python")
    with pytest.raises(ConfigError, match="folder: .*config.json cannot be read .*No such file"):
        script.convert(tmp_path / "none", free, "python")
    with pytest.raises(ConfigError, match="names bert; give one of dinov2 or clip"):
        script.convert(there, free, "python")
    with pytest.raises(ConfigError, match="torch: no/python cannot be run .No such file"):
        script.convert(folder("clip"), free, "no/python")
    with pytest.raises(ConfigError, match="lack vision_model.embeddings.class_embedding"):
        script.clip(
            script.Checkpoint({"vision_model.embeddings.position_embedding.weight": IMAGES})
        )
    assert not free.exists()


def test_the_last_line_of_pytorchs_process_is_shown(script, folder, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho first >&2\necho 'Error: no torch' >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(
        ConfigError, match=r"folder: .*clip cannot be read by .*\(Error: no torch\)"
    ):
        script.convert(folder("clip"), tmp_path / "net", str(python))


TINY = """
import sys, torch, transformers
torch.manual_seed(0)
small = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, patch_size=14)
if sys.argv[1] == "dinov2":
    network = transformers.Dinov2Model(transformers.Dinov2Config(**small, image_size=70))
else:
    vision = dict(small, intermediate_size=64, image_size=28, projection_dim=24)
    text = dict(hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)
    config = transformers.CLIPConfig(vision_config=vision, text_config=text, projection_dim=24)
    network = transformers.CLIPModel(config)
for weights in network.parameters():
    weights.data += 0.1 * torch.randn_like(weights)
network.save_pretrained(sys.argv[2])
"""
BIN = """
import pathlib, sys, torch
from safetensors.torch import load_file
folder = pathlib.Path(sys.argv[1])
torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
(folder / "model.safetensors").unlink()
"""
POSITIONS = """
import sys, numpy, torch
from original_features import positions
table = torch.from_numpy(numpy.load(sys.argv[1]))
numpy.save(sys.argv[2], positions(table, 3))
"""
PROGRAM = """
import pathlib, sys, torch
class Program:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path(sys.argv[1], "touched"),)
torch.save({"program": Program()}, pathlib.Path(sys.argv[1], "pytorch_model.bin"))
"""


def python(*words):
    """Run this Python in a process of its own: PyTorch and TensorFlow in one can crash."""
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.slow
@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("torch", "transformers"))),
    reason="torch and transformers are not installed",
)
class TestOriginals:
    @pytest.mark.parametrize("kind", ["dinov2", "clip"])
    def test_both_files_give_pytorchs_features_and_the_same_digest(self, tmp_path, kind):
        assert not python("-c", TINY, kind, tmp_path / "tiny").returncode
        digests = []
        for output in ("first", "second"):
            done = python(SCRIPTS / "convert_features.py", tmp_path / "tiny", tmp_path / output)
            assert not done.returncode, done.stderr
            _, compared, wrote = done.stdout.splitlines()
            assert float(compared.split()[-4]) < 1e-5
            digests.append(wrote.split()[-1])
            if output == "first":
                assert not python("-c", BIN, tmp_path / "tiny").returncode
        assert digests[0] == digests[1]

    def test_positions_are_a_cubic_convolution(self, tmp_path):
        """Keys's kernel with a = -3/4 at (i + 1/2) 5 / 3.1 - 1/2, with the edges repeated."""
        table = np.random.default_rng(0).normal(size=(1, 26, 4)).astype(np.float32)
        np.save(tmp_path / "table.npy", table)
        done = python("-c", POSITIONS, tmp_path / "table.npy", tmp_path / "found.npy")
        assert not done.returncode, done.stderr
        matrix = np.zeros((3, 5))
        for row in range(3):
            place = (row + 0.5) * 5 / 3.1 - 0.5
            for near in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
                t, a = abs(place - near), -0.75
                inner = (a + 2) * t**3 - (a + 3) * t**2 + 1
                outer = a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a
                matrix[row, np.clip(near, 0, 4)] += inner if t <= 1 else outer
        square = np.einsum("ri,sj,ijd->rsd", matrix, matrix, table[0, 1:].reshape(5, 5, 4))
        expected = np.concatenate([table[0, :1], square.reshape(9, 4)])
        np.testing.assert_allclose(np.load(tmp_path / "found.npy")[0], expected, atol=1e-5)

    def test_a_program_among_the_weights_is_not_run(self, tmp_path):
        (tmp_path / "config.json").write_text('{"model_type": "clip"}')
        assert not python("-c", PROGRAM, tmp_path).returncode
        done = python(SCRIPTS / "convert_features.py", tmp_path, tmp_path / "net")
        assert done.returncode == 2
        assert "cannot be read" in done.stderr.splitlines()[-1]
        assert not (tmp_path / "touched").exists()
