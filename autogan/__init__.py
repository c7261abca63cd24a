"""AutoGAN: automatic search for GAN hyperparameters, driven by the quality of the images.

import autogan
result = autogan.search({"gan_type": "dcgan", "dataset": "digits", "trials": 5})
print(result.best, result.hyperparameters)
"""

# The package autogan.search first: importing it later would put the package, as an attribute of
# this one, in the place of the function of that name.
import autogan.search  # noqa: F401
from autogan.commands import evaluate, plan, sample, search, train
from autogan.config import SearchConfig, TrainConfig
from autogan.errors import AutoGANError, ConfigError, Interrupted, SearchFailed
from autogan.loop import SearchResult
from autogan.version import __version__

__all__ = [
    "AutoGANError",
    "ConfigError",
    "Interrupted",
    "SearchConfig",
    "SearchFailed",
    "SearchResult",
    "TrainConfig",
    "__version__",
    "evaluate",
    "plan",
    "sample",
    "search",
    "train",
]
