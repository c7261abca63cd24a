"""Generators and discriminators: architectures, and the layers that they are put together from.

Knows nothing of losses and of training.
"""
