"""The real session in this process, for tests that need its work and no worker."""

import os

from fakes import FakeEngine

from autogan.worker.session import Session


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
