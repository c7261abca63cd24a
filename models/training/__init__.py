"""The training step: batches, updates, optimisers, averages, and the state that they change.

Knows nothing of criteria and of folders on disk.
"""
