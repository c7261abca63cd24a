"""Configuration: its keys, how files and flags are read, and the values derived from them.

A configuration comes from defaults, a YAML file and flags; later ones override earlier ones. It is
validated once, here, and saved before any work.
"""

from autogan.config.confirm import Confirm
from autogan.config.grammar import (
    Setting,
    packaged_configs,
    parse_param,
    parse_params,
    read_weights,
    read_yaml,
)
from autogan.config.loading import (
    check_mapping,
    left_out,
    load_config,
    load_saved,
    own_flags,
    validated,
)
from autogan.config.proxy import PROXY, SEARCHED, check_proxy, proxy_of, small_copy
from autogan.config.repeating import under_seeds
from autogan.config.searching import SearchConfig
from autogan.config.training import TrainConfig

__all__ = [
    "PROXY",
    "SEARCHED",
    "Confirm",
    "SearchConfig",
    "Setting",
    "TrainConfig",
    "check_mapping",
    "check_proxy",
    "left_out",
    "load_config",
    "load_saved",
    "own_flags",
    "packaged_configs",
    "parse_param",
    "parse_params",
    "proxy_of",
    "read_weights",
    "read_yaml",
    "small_copy",
    "under_seeds",
    "validated",
]
