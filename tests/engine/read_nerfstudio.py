"""Run by a Python that has nerfstudio: what its own parser makes of a dataset of ours, as JSON on stdout.

python read_nerfstudio.py DATASET POINTS.json        # points of the avatar, [P 3], metres
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from nerfstudio.data.dataparsers.nerfstudio_dataparser import NerfstudioDataParserConfig
from PIL import Image

data, points = Path(sys.argv[1]), torch.tensor(json.loads(Path(sys.argv[2]).read_text()), dtype=torch.float64)
parser = NerfstudioDataParserConfig(
    data=data,
    orientation_method="none",
    center_method="none",
    auto_scale_poses=False,
    eval_mode="all",
).setup()
read = parser.get_dataparser_outputs(split="train")
cameras = read.cameras
views = []
for index in range(len(cameras)):
    world_from_camera = cameras.camera_to_worlds[index].double()
    seen = (points - world_from_camera[:, 3]) @ world_from_camera[:, :3]
    x, y = seen[:, 0] / -seen[:, 2], -seen[:, 1] / -seen[:, 2]
    pixels = torch.stack([cameras.fx[index] * x + cameras.cx[index], cameras.fy[index] * y + cameras.cy[index]], dim=1)
    middle = torch.tensor([cameras.cy[index].item(), cameras.cx[index].item()], dtype=torch.float32)
    ray = cameras.generate_rays(camera_indices=index, coords=middle)  # nerfstudio's own way from a pixel into the world
    mask = np.asarray(Image.open(read.mask_filenames[index]))
    views.append(
        {
            "pixels": pixels.tolist(),
            "axis": ray.directions.reshape(3).tolist(),
            "eye": ray.origins.reshape(3).tolist(),
            "size": [int(cameras.width[index]), int(cameras.height[index])],
            "image": Path(read.image_filenames[index]).name,
            "believed": float((mask > 127).mean()),
        }
    )
told = {
    "views": views,
    "transform": read.dataparser_transform.tolist(),
    "scale": read.dataparser_scale,
}
print(json.dumps(told))
