"""How much of the processors' time the tests take: a sum that is printed, and can be bounded.

Time on the wall says what else a machine did; the time of the processors says what the tests
cost. Children are counted with the test that waited for them.
"""

import os
from collections import Counter

import pytest


def spent() -> float:
    """Processor seconds of this process and of the children that it has waited for."""
    now = os.times()
    return now.user + now.system + now.children_user + now.children_system


def takes_all(config):
    """Whether slow tests run too: with ``--slow``, or where files are named."""
    return config.getoption("--slow") or bool(config.option.file_or_dir)


class Meter:
    """Notes in each report what its phase took, here or in one of xdist's processes."""

    def __init__(self):
        self.last = spent()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self):
        report = yield
        now = spent()
        report.cpu, self.last = now - self.last, now
        return report


class Sum:
    """Adds up what the reports say, prints it, and fails the run above a limit."""

    def __init__(self, config):
        self.limit = config.getoption("--cpu-limit")
        self.seconds = Counter()
        self.all = takes_all(config)

    @property
    def total(self):
        return sum(self.seconds.values())

    def pytest_runtest_logreport(self, report):
        self.seconds[report.location[0]] += report.cpu

    def pytest_sessionfinish(self, session):
        if self.limit and self.total > self.limit and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        most = ", ".join(f"{name} {cpu:.0f}" for name, cpu in self.seconds.most_common(5))
        bound = f" (at most {self.limit})" if self.limit else ""
        terminalreporter.write_line(f"processor seconds: {self.total:.0f}{bound}; {most}")
        if not self.all:
            terminalreporter.write_line(
                "left out: the slow tests, which kill processes, compile by XLA, train for long or "
                "open a browser; scripts/test --slow runs them too"
            )
