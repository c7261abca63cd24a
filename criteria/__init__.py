"""Criteria: feature networks, statistics, and the numbers made of them.

Knows nothing of search or GAN types. Importing this package does not import TensorFlow.
"""

from autogan.core.registry import Registry
from autogan.criteria.base import Criterion
from autogan.criteria.fid import FID
from autogan.criteria.inception_score import InceptionScore
from autogan.criteria.js_inception_score import JSInceptionScore
from autogan.criteria.kid import KID
from autogan.criteria.label_accuracy import LabelAccuracy
from autogan.criteria.objective import Bounds, Objective, bounds_seen
from autogan.criteria.statistics import Features, Moments
from autogan.criteria.wd import WD

CRITERIA: Registry[Criterion] = Registry("criterion", Criterion)
for _criterion in (InceptionScore, JSInceptionScore, FID, WD, KID, LabelAccuracy):
    CRITERIA.register(_criterion)

__all__ = [
    "CRITERIA",
    "FID",
    "KID",
    "WD",
    "Bounds",
    "Criterion",
    "Features",
    "InceptionScore",
    "JSInceptionScore",
    "LabelAccuracy",
    "Moments",
    "Objective",
    "bounds_seen",
]
