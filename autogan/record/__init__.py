"""A run on disk: its folder, who works in it, and the append-only record of a search.

Knows nothing of workers and TensorFlow, nor of how a search decides.
"""
