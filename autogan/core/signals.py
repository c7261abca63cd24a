"""The signals that ask a program to stop; Windows lacks some."""

import signal

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def heeded() -> list[int]:
    """The signals that this process does not ignore; nohup, for one, makes it ignore SIGHUP."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
