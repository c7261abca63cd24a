"""Folders that are closed to the tests, also where these run as root."""

import ctypes
import os
import threading

import pytest

_HEADER, _VERSION_3 = ctypes.c_uint32 * 2, 0x20080522
_DAC = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def as_a_user(function):
    """Call a function in a thread of its own that has not root's power over files.

    Linux keeps capabilities by the thread. Returns what the function returns, raises what it
    raises.
    """
    answers, errors = [], []

    def run():
        try:
            if os.geteuid() == 0:
                _drop()
            answers.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]


def _drop():
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _HEADER(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    if not hasattr(libc, "capset") or libc.capget(header, sets):
        pytest.skip("root keeps its powers on this system")
    for place in (0, 1):  # effective, permitted
        sets[place] &= ~_DAC
    if libc.capset(_HEADER(_VERSION_3, 0), sets):
        pytest.skip(f"capset: {os.strerror(ctypes.get_errno())}")
