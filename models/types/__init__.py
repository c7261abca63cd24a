"""The GAN types, a file each: presets of `gan`, and types with their own training step.

This package does not import TensorFlow, so that listing and checking types is immediate.
"""
