"""GAN types: networks, losses, penalties, optimisers, and the training step that joins them.

Knows nothing of search, criteria or folders on disk. Importing this package does not import
TensorFlow; building a GAN type does.
"""

from autogan.models.base import GANType
from autogan.models.dcgan import DCGAN
from autogan.models.wgan_gp import WGANGP
from autogan.registry import Registry

GAN_TYPES: Registry[GANType] = Registry("gan_type", GANType)
GAN_TYPES.register(DCGAN)
GAN_TYPES.register(WGANGP)

__all__ = ["DCGAN", "GAN_TYPES", "WGANGP", "GANType"]
