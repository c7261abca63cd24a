"""GAN types: networks, losses, penalties, optimisers, and the training step that joins them.

The package knows nothing of search, criteria or folders on disk. Importing it does not import
TensorFlow; building a GAN type does.
"""

from autogan.core.registry import Registry
from autogan.models.base import GANType
from autogan.models.types.acgan import ACGAN
from autogan.models.types.began import BEGAN
from autogan.models.types.cgan import CGAN
from autogan.models.types.dcgan import DCGAN
from autogan.models.types.dragan import DRAGAN
from autogan.models.types.evolutionary import Evolutionary
from autogan.models.types.gan import GAN
from autogan.models.types.igan import IGAN, IGANv2
from autogan.models.types.lsgan import LSGAN
from autogan.models.types.r3gan import R3GAN
from autogan.models.types.sngan import SNGAN, ProjectionSNGAN
from autogan.models.types.wgan import WGAN
from autogan.models.types.wgan_gp import WGANGP

GAN_TYPES: Registry[GANType] = Registry("gan_type", GANType)
for _gan_type in (
    GAN,
    DCGAN,
    LSGAN,
    WGAN,
    WGANGP,
    DRAGAN,
    SNGAN,
    R3GAN,
    BEGAN,
    IGAN,
    IGANv2,
    Evolutionary,
    CGAN,
    ACGAN,
    ProjectionSNGAN,
):
    GAN_TYPES.register(_gan_type)

__all__ = [
    "ACGAN",
    "BEGAN",
    "CGAN",
    "DCGAN",
    "DRAGAN",
    "GAN",
    "GAN_TYPES",
    "IGAN",
    "LSGAN",
    "R3GAN",
    "SNGAN",
    "WGAN",
    "WGANGP",
    "Evolutionary",
    "GANType",
    "IGANv2",
    "ProjectionSNGAN",
]
