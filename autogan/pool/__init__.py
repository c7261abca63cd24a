"""The driver's view of its workers: where they run, their messages, which are free, which died.

This package knows nothing of records or trainings: it sends messages and receives messages.
"""
