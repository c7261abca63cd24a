"""The real session in this process, for tests that need its work and no worker."""

from fakes import FakeEngine

from autogan.run.session import Session


class SessionEngine(FakeEngine):
    """Does a worker's real work here."""

    def __init__(self):
        session = Session(self)
        session._device = "cpu"  # TensorFlow has begun already: its threads cannot be set any more
        super().__init__(session)
        self.session = session
