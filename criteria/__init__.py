"""Criteria: feature networks, statistics, and the numbers made of them.

Knows nothing of search or GAN types. Importing this package does not import TensorFlow.
"""

from autogan.criteria.base import Criterion
from autogan.criteria.fid import FID
from autogan.criteria.inception_score import InceptionScore
from autogan.criteria.js_inception_score import JSInceptionScore
from autogan.criteria.statistics import Features, Moments
from autogan.criteria.wd import WD
from autogan.registry import Registry

CRITERIA: Registry[Criterion] = Registry("criterion", Criterion)
CRITERIA.register(InceptionScore)
CRITERIA.register(JSInceptionScore)
CRITERIA.register(FID)
CRITERIA.register(WD)

__all__ = [
    "CRITERIA",
    "FID",
    "WD",
    "Criterion",
    "Features",
    "InceptionScore",
    "JSInceptionScore",
    "Moments",
]
