"""The real session in this process, for tests that need its work and no worker."""

import os

import tensorflow as tf
from fakes import FakeEngine

from autogan.criteria.networks import classifier_training
from autogan.worker import scoring
from autogan.worker.session import Session

scoring._MANY = 0  # so that not every search here generates 40,000 images at its end


def short_classifiers(patch, steps):
    """Classifiers learn for a few steps only, in this process."""
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    assert threads == tf.config.threading.get_inter_op_parallelism_threads()
    for name, recipe in classifier_training.RECIPES.items():
        shorter = recipe._replace(steps=steps, threads=threads)
        patch.setitem(classifier_training.RECIPES, name, shorter)


class SessionEngine(FakeEngine):
    """Does a worker's real work here."""

    def __init__(self):
        session = Session(self)
        session._bench.device = "cpu"  # TensorFlow has begun: threads cannot be set now
        super().__init__(session)
        self.session = session

    def close(self):
        """Release the folder of the run, as a worker does when its process ends."""
        if self.session._shared is not None:
            os.close(self.session._shared)
            self.session._shared = None
