"""Types of the arrays that packages exchange."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Images: TypeAlias = npt.NDArray[np.uint8]
"""[N, height, width, channels], of 1 or 3 channels."""

Labels: TypeAlias = npt.NDArray[np.int64]
"""The classes of images, [N], from 0 on."""

Attributes: TypeAlias = npt.NDArray[np.uint8]
"""The attributes of images, [N, A] of 0 and 1; an image may have none or several of them."""
