"""The driver: it opens a run, hands trainings to the pool, records what comes back, and ends.

Knows nothing of TensorFlow and of how a search decides.
"""
