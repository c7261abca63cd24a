"""What the two networks are trained to do: losses, penalties, and augmentation of their images.

Knows nothing of architectures and of steps.
"""
