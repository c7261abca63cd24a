"""Published statistics of real images: files with the mean and covariance of features.

The files of pytorch-fid and clean-fid hold ``mu`` [D] and ``sigma`` [D, D]; so do the references of
ADM, with images (``arr_0``) and statistics of another layer (``mu_s``, ``sigma_s``) as well. Files
of this program also name the feature network and the SHA-256 of its weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autogan.core.errors import ConfigError
from autogan.core.files import opened, write_npz
from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Array64, Moments

_MOST_FEATURES = 16_384
_SYMMETRIC = 1e-3  # largest relative difference between a covariance and its transpose


@dataclass(frozen=True, eq=False)
class Published:
    """The statistics in a file.

    Attributes:
        moments: mean and covariance.
        network: the feature network; empty if the file does not name it.
        weights: SHA-256 of its weights; empty likewise.
    """

    moments: Moments
    network: str = ""
    weights: str = ""

    @classmethod
    def read(cls, path: Path) -> "Published":
        """Read a file; nothing in it is unpickled.

        Raises:
            ConfigError: naming the problem, if it holds no valid statistics.
        """
        try:
            with opened(path) as file, np.load(file, allow_pickle=False) as archive:
                held = set(archive.files)
                if not {"mu", "sigma"} <= held:
                    raise _fault(path, f"holds {', '.join(sorted(held))}, but not mu and sigma")
                sizes = [archive.zip.getinfo(f"{name}.npy").file_size for name in held & _READ]
                if max(sizes) > 8 * _MOST_FEATURES**2 + 1024:
                    raise _fault(path, f"has more than {_MOST_FEATURES} features")
                arrays = {name: archive[name] for name in held & _READ}
        except ConfigError:
            raise
        except OSError as error:
            lost = f"cannot be read ({error.strerror}); give its present path"
            raise _fault(path, lost) from None
        except Exception as error:  # a damaged archive can raise anything
            raise _fault(path, f"is not an .npz file ({type(error).__name__})") from error
        mean, covariance = arrays["mu"], arrays["sigma"]
        if mean.ndim != 1 or covariance.shape != 2 * mean.shape or not mean.size:
            shapes = f"mu of shape {mean.shape} and sigma of {covariance.shape}"
            raise _fault(path, f"has {shapes}, not D and D x D")
        if not all(np.issubdtype(each.dtype, np.floating) for each in (mean, covariance)):
            raise _fault(path, "has a mu or sigma that is not of floating-point numbers")
        mean, covariance = mean.astype(np.float64), covariance.astype(np.float64)
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise _fault(path, "has a mu or sigma that is NaN or infinite")
        if not _is_covariance(covariance):
            raise _fault(path, "has a sigma that is not a covariance: not symmetric, or negative")
        names = [str(arrays[name]) if name in arrays else "" for name in ("network", "weights")]
        return cls(Moments(mean, covariance), *names)

    def write(self, path: Path) -> None:
        """Write a file, of float64 arrays.

        Raises:
            StorageError: if it cannot be written.
        """
        moments = {"mu": self.moments.mean, "sigma": self.moments.covariance}
        write_npz(
            path, {**moments, "network": np.array(self.network), "weights": np.array(self.weights)}
        )

    def check(self, network: str, weights: str, dimensions: int) -> None:
        """Refuse the features of another network.

        Args:
            network: its name.
            weights: SHA-256 of its weights.
            dimensions: D, the number of its features.

        Raises:
            ConfigError: naming both networks.
        """
        known = len(self.moments.mean)
        if known != dimensions or self.network not in ("", network):
            made = self.network or "another network"
            raise ConfigError(
                "reference_statistics",
                f"they are for {known} features of {made}, but {network} has {dimensions}; name "
                "their network with --features",
            )
        if self.weights not in ("", weights):
            raise ConfigError(
                "reference_statistics",
                f"they were computed by {network} with other weights ({self.weights[:6]}, here "
                f"{weights[:6]}), which depend on the images and the device; compute them again "
                "with the same ones, or with inception or efficientnet, whose weights are the same "
                "everywhere",
            )


def check_needs(criteria: Mapping[str, Criterion], path: Path) -> None:
    """Refuse criteria that need more than the statistics in a file.

    Raises:
        ConfigError: naming the first of them.
    """
    for name, criterion in criteria.items():
        if not criterion.needs <= {"logits", "labels"}:
            raise ConfigError(
                "criterion",
                f"{name} needs the real images themselves, but {path} holds only their mean and "
                "covariance; leave one of them out",
            )


_READ = {"mu", "sigma", "network", "weights"}


def _fault(path: Path, problem: str) -> ConfigError:
    return ConfigError("reference_statistics", f"{path} {problem}")


def _is_covariance(matrix: Array64) -> bool:
    scale = float(np.abs(matrix).max())
    symmetric = np.abs(matrix - matrix.T).max() <= _SYMMETRIC * scale
    return bool(symmetric and (np.diag(matrix) >= 0).all())
