"""Every reader of files, given damaged ones: it reads them, or refuses them in one line.

`READERS` names each reader with a sound file; `DAMAGES` says what happens to it. Of a run, every
file is damaged in turn, and every command that reads runs is called.
"""

import contextlib
import dataclasses
import gzip
import io
import pickle
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEngine
from pages import losses_on_disk, training_on_disk
from PIL import Image

import autogan
from autogan.config import SearchConfig, TrainConfig, load_config
from autogan.core.errors import AutoGANError
from autogan.core.files import (
    Damaged,
    cached_arrays,
    mapped_arrays,
    read_arrays,
    write_arrays,
    write_bytes,
    write_json,
    write_yaml,
)
from autogan.data import dataset_named
from autogan.record.events import losses
from autogan.record.folder import TrialFolder, trial_name
from autogan.search import State


def damages(data, places=8):
    """A file's bytes, damaged in all ways, each with its name; the same ones at each call.

    It is cut, and a byte of it is changed, at some places.
    """
    random = np.random.default_rng(len(data))
    yield "empty", b""
    for place in random.integers(0, len(data), places if data else 0):
        yield f"cut at {place}", data[:place]
        yield f"changed at {place}", data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :]
    yield "doubled", data + data
    yield "noise", random.bytes(len(data))
    yield "text", b"Thank you for your interest.\n"
    yield "a bomb of zeros", gzip.compress(bytes(10**6))


def numbers(count=20, size=8):
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, size, size), np.uint8), np.arange(count) % 10


def idx(array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return head + array.astype(np.uint8).tobytes()


def saved(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def picture(form):
    buffer = io.BytesIO()
    colours = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
    Image.fromarray(colours).save(buffer, form)
    return buffer.getvalue()


def cifar_batch():
    random = np.random.default_rng(0)
    planes = random.integers(0, 256, (4, 3072), np.uint8)
    return pickle.dumps({b"data": planes, b"labels": [0, 1, 2, 3]})


def cifar_archive():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            batch = cifar_batch()
            member.size = len(batch)
            tar.addfile(member, io.BytesIO(batch))
    return buffer.getvalue()


X, Y = numbers()
ARRAYS = {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y}
MNIST = {
    "train-images-idx3-ubyte": idx(X), "train-labels-idx1-ubyte": idx(Y),
    "t10k-images-idx3-ubyte": idx(X), "t10k-labels-idx1-ubyte": idx(Y),
}  # fmt: skip


def load_mnist():
    dataset_named("mnist", Path("data")).load(None)


def load_cifar():
    dataset_named("cifar10", Path("data")).load(None)


def load_folder():
    dataset_named("folder:data", None).load(8)


def read_sealed():
    with contextlib.suppress(Damaged, FileNotFoundError, IsADirectoryError):
        read_arrays(Path("data/arrays.npz"))


def read_cached():
    """A damaged file of the cache is made again."""
    made = cached_arrays(Path("data/arrays.npz"), lambda: {"a": np.arange(9)})
    assert np.array_equal(made["a"], np.arange(9))


def sealed():
    write_arrays(Path("sealed.npz"), {"a": np.arange(9)})
    return Path("sealed.npz").read_bytes()


def events():
    losses_on_disk(Path("events"), {"d_loss": [(20, 1.0), (40, 2.0)], "g_loss": [(20, 3.0)]})
    return Path("events").read_bytes()


def read_events():
    losses(Path("data"))


READERS = {
    "mnist.npz": ({"mnist.npz": saved(**ARRAYS)}, load_mnist),
    "train-images-idx3-ubyte": (MNIST, load_mnist),
    "train-labels-idx1-ubyte": (MNIST, load_mnist),
    "train-images-idx3-ubyte.gz": (
        {f"{name}.gz": gzip.compress(data) for name, data in MNIST.items()},
        load_mnist,
    ),
    "cifar-10-python.tar.gz": ({"cifar-10-python.tar.gz": cifar_archive()}, load_cifar),
    **{
        f"a.{form}": ({f"a.{form}": picture(form), "b.png": picture("png")}, load_folder)
        for form in ("png", "jpeg", "gif", "bmp", "tiff", "webp")
    },
    "arrays.npz": ({"arrays.npz": sealed}, read_sealed),
    "events.out.tfevents.1": ({"events.out.tfevents.1": events}, read_events),
    "arrays.npz of the cache": ({"arrays.npz": sealed}, read_cached),
}


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_in_one_line(name):
    files, read = READERS[name]
    files = {each: data() if callable(data) else data for each, data in files.items()}
    damaged = Path("data", name.partition(" ")[0])
    damaged.parent.mkdir()
    for each, data in files.items():
        Path("data", each).write_bytes(data)
    read()
    for how, data in damages(files[damaged.name]):
        damaged.write_bytes(data)
        check(how, read)
    for how in ("gone", "a folder"):
        damaged.unlink(missing_ok=True)
        if how == "a folder":
            damaged.mkdir()
        check(how, read)


def check(how, read):
    """Read: it works, or says in one line why not."""
    try:
        read()
    except AutoGANError as error:
        said = str(error)
        assert said.isprintable(), how
        assert 0 < len(said) < 1200, how
    except Exception as error:
        raise AssertionError(f"{how}: {type(error).__name__}") from error


SEARCH = {
    "dataset": "digits", "search_method": "random", "trials": 3, "run_dir": "sound",
    "params": {"learning_rate": "1e-4..1e-2:log"},
}  # fmt: skip
COMMANDS = (
    ("show", "run", "--json"), ("check", "run"), ("report", "run"), ("list", "runs"),
    ("train", "run/best.yaml", "--steps", "0"),
)  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The folder of a finished search of three trials."""
    root = tmp_path_factory.mktemp("search") / "sound"
    keys = {**SEARCH, "run_dir": str(root)}
    result = autogan.run_search(keys, engine=FakeEngine())
    for trial in result.trials:  # as a worker leaves it
        config = result.config.trial_config(trial.params, trial.seed)
        place = result.folder.trial(trial_name(trial.number, trial.params))
        folder = TrialFolder.of(place, config)
        write_yaml(folder.config, config.as_dict())
        write_json(folder.result, {**dataclasses.asdict(trial), "environment": {}})
        write_bytes(folder.scores, b'{"step": 10}\n')
    return root


def files_of(root):
    """The files of a run that a command may read, by their paths within it."""
    first = min((root / "trials").iterdir())
    found = [*root.glob("*.*"), *first.rglob("*"), root / ".lock"]
    left = "state.json"  # the fake worker's own
    own = {path.relative_to(root) for path in found if path.is_file() and path.name != left}
    return sorted(own, key=str)


def test_every_file_of_a_run_may_be_damaged(sound, command):
    for file in files_of(sound):
        for how, data in damages((sound / file).read_bytes(), places=2):
            copied(sound)
            (Path("run") / file).write_bytes(data)
            look(f"{file} {how}", command)
        for how in ("gone", "a folder"):
            copied(sound)
            (Path("run") / file).unlink()
            if how == "a folder":
                (Path("run") / file).mkdir()
            look(f"{file} {how}", command)


@pytest.mark.parametrize("state", [State.COMPLETE, State.RUNNING])
def test_every_file_of_a_training_may_be_damaged(tmp_path, state, command):
    root = training_on_disk(tmp_path / "sound", 2, state).root
    for file in sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file()):
        for how, data in damages((root / file).read_bytes(), places=2):
            copied(root)
            (Path("run") / file).write_bytes(data)
            look(f"{file} {how}", command)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "best.yaml",
            "best.yaml is a folder, but a file belongs there; move it away; resume with: ",
        ),
        (".workers", r"run_dir: run/.workers cannot be written \(Is a directory\); remove it"),
        (".lock", r"run_dir: run/.lock cannot be written \(Is a directory\); remove it"),
    ],
)
def test_a_folder_in_the_place_of_a_file_is_to_be_moved(file, expected, sound):
    copied(sound)
    Path("run", file).unlink()
    Path("run", file).mkdir()
    with pytest.raises(AutoGANError, match=expected):
        autogan.run_search({"trials": 4}, resume="run", engine=FakeEngine())


def test_an_empty_configuration_of_a_run_is_no_sound_one(sound, command):
    """Every key has a default, and a run's file names them all."""
    copied(sound)
    Path("run/search.yaml").write_bytes(b"")
    expected = "autogan: config: run/search.yaml is empty; restore it\n"
    assert command("check", "run") == (2, "", expected)


def copied(sound):
    shutil.rmtree("run", ignore_errors=True)
    shutil.copytree(sound, "run", symlinks=True)


def look(how, command):
    """All commands that look at runs, and a resumed search: an answer, or one line."""
    for arguments in COMMANDS:
        code, _, err = command(*arguments)
        assert code in (0, 1, 2), (how, arguments)
        assert "Traceback" not in err, (how, arguments)
        assert code == 0 or err.startswith("autogan: "), (how, arguments, err)
        assert all(line.isprintable() for line in err.splitlines()), (how, arguments)
    with contextlib.suppress(AutoGANError):
        autogan.run_search({"trials": 4}, resume="run", engine=FakeEngine())


@pytest.mark.parametrize("kind", [SearchConfig, TrainConfig])
def test_a_damaged_configuration(kind, sound):
    file = next(iter((sound / "trials").iterdir())) / "config.yaml"
    text = (sound / "search.yaml" if kind is SearchConfig else file).read_bytes()
    for how, data in damages(text):
        Path("odd.yaml").write_bytes(data)
        check(how, lambda: load_config(kind, Path("odd.yaml")))


def test_damaged_arrays_on_the_disk_are_made_again():
    """What TensorFlow Datasets' pictures are unpacked into."""

    def made():
        def fill(arrays):
            arrays["images"][...] = 7

        (images,) = mapped_arrays(Path("cache"), {"images": ((3, 8, 8, 1), np.uint8)}, fill)
        assert images.shape == (3, 8, 8, 1)
        return images

    assert (made() == 7).all()
    data = Path("cache/images.npy").read_bytes()
    for end in (0, 3, 100, len(data) - 1):
        Path("cache/images.npy").write_bytes(data[:end])
        assert (made() == 7).all()
    Path("cache/images.npy").unlink()
    assert (made() == 7).all()


def test_a_cache_without_a_seal_is_made_again():
    """Any file of numbers could lie there, and would change values without a word."""
    path = Path("cache/statistics.npz")
    path.parent.mkdir()
    np.savez(path, mean=np.zeros(3))
    for _ in range(2):
        assert cached_arrays(path, lambda: {"mean": np.arange(3.0)})["mean"].tolist() == [0, 1, 2]
    assert read_arrays(path)["mean"].tolist() == [0, 1, 2]


def test_a_file_without_a_seal_is_refused():
    np.savez("features.npz", kernel=np.ones(3))
    with pytest.raises(Damaged, match="its digest does not match"):
        read_arrays(Path("features.npz"))
