"""The GAN types: presets of one game, each a file, and those with a training step of their own.

Knows nothing of TensorFlow: listing and checking types is immediate.
"""
