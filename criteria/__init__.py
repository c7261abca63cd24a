"""Criteria: feature networks, statistics, and the values computed from them.

Independent of search and GAN types. Importing this package does not import TensorFlow.
"""

from autogan.core.registry import Registry
from autogan.criteria.balls import Coverage, Density, Precision, Recall
from autogan.criteria.base import Criterion
from autogan.criteria.class_fid import ClassFID
from autogan.criteria.clipped import ClippedCoverage, ClippedDensity
from autogan.criteria.copying import CT, Authenticity
from autogan.criteria.fid import FID
from autogan.criteria.fid_infinity import FIDInfinity
from autogan.criteria.inception_score import InceptionScore
from autogan.criteria.js_inception_score import JSInceptionScore
from autogan.criteria.kid import KID
from autogan.criteria.label_accuracy import LabelAccuracy
from autogan.criteria.limits import Limit, limits_of
from autogan.criteria.ms_ssim import MSSSIM
from autogan.criteria.objective import NOTHING, Bounds, Objective, bounds_seen
from autogan.criteria.statistics import Features, Moments
from autogan.criteria.wd import WD

CRITERIA: Registry[Criterion] = Registry("criterion", Criterion)
for _criterion in (
    InceptionScore,
    JSInceptionScore,
    FID,
    FIDInfinity,
    ClassFID,
    WD,
    KID,
    Precision,
    Recall,
    Density,
    Coverage,
    ClippedDensity,
    ClippedCoverage,
    Authenticity,
    CT,
    MSSSIM,
    LabelAccuracy,
):
    CRITERIA.register(_criterion)

__all__ = [
    "CRITERIA",
    "CT",
    "FID",
    "KID",
    "MSSSIM",
    "NOTHING",
    "WD",
    "Authenticity",
    "Bounds",
    "ClassFID",
    "ClippedCoverage",
    "ClippedDensity",
    "Coverage",
    "Criterion",
    "Density",
    "FIDInfinity",
    "Features",
    "InceptionScore",
    "JSInceptionScore",
    "LabelAccuracy",
    "Limit",
    "Moments",
    "Objective",
    "Precision",
    "Recall",
    "bounds_seen",
    "limits_of",
]
