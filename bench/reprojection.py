"""How far do the fitted landmarks fall from where the detector saw them? On portraits no calibration saw.

    python -m bench.reprojection

Inner landmarks (without the face's outline, which slides), before any warp, in inter-ocular distances (IOD).
"""

import numpy as np

from avatar3d.core.errors import InputError
from avatar3d.fit.fit import fit_head
from avatar3d.head.load import load_head_model
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.photo.segment import segment_face
from bench.measure import save_result, show
from bench.skins import portraits_folder, split_names


def main() -> None:
    model = load_head_model()
    residuals: dict[str, float] = {}
    refused: dict[str, str] = {}
    for name in split_names("unseen"):
        try:
            face = observe_face(load_photo(portraits_folder() / name))
            residuals[name] = fit_head(model, face, segments=segment_face(face)).residual_iod
        except InputError as refusal:
            refused[name] = refusal.message
    percent = 100 * np.array(list(residuals.values()))
    row = {
        "portraits": len(percent), "refused": len(refused),
        "mean % IOD": float(percent.mean()), "p95": float(np.percentile(percent, 95)), "worst": float(percent.max()),
    }  # fmt: skip
    show("reprojection (budget: mean at most 2.1 % IOD)", [row])
    for name, reason in refused.items():
        print(f"refused {name}: {reason}")
    print(save_result("reprojection", {**row, "each": residuals, "reasons": refused}))


if __name__ == "__main__":
    main()
