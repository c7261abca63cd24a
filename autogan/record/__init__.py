"""A run on disk: its folder, its lock, and the append-only record of a search.

Independent of workers, of TensorFlow, and of how a search decides.
"""
