"""This person's own 52 shapes.

mean head's expressions --> transferred to this skin --> jaw, lids and lips as this head has them, lips before teeth --> lashes, teeth and tongue follow
"""

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.rig.incisors import bare_teeth
from avatar3d.rig.jaw import open_jaw
from avatar3d.rig.lids import close_lids
from avatar3d.rig.lips import close_lips
from avatar3d.rig.mouth import hold_lips
from avatar3d.rig.riders import carry_parts
from avatar3d.rig.transfer import transfer_skin


def person_shapes(model: HeadModel, neutral: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "52 V 3"]:
    """Displacements (metres, ARKIT_NAMES order) of this neutral head (metres), every part of it.

    The blinks close these lids from wherever they rest; jawOpen with mouthClose closes these lips.
    """
    *_, by_bone = transferred = transfer_skin(model, neutral)
    shapes, jaw = transferred[:-1], ARKIT_INDEX["jawOpen"]
    shapes[jaw] = open_jaw(model, neutral, shapes[jaw], by_bone)
    shapes = close_lids(model, neutral, shapes)
    shapes = bare_teeth(model, neutral, shapes)
    shapes = close_lips(model, neutral, shapes)
    shapes = hold_lips(model, neutral, shapes)
    return carry_parts(model, neutral, shapes)
