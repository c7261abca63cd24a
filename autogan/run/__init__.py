"""The driver: opens a run, passes trainings to the pool, records the results, and ends.

Knows nothing about TensorFlow or about how a search decides.
"""
