"""Training objectives: losses, penalties, and augmentation of the discriminator's images.

This package knows nothing of architectures or training steps.
"""
