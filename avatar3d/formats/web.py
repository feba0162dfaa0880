"""A GLB for the web: meshopt and WebP, through glTF-Transform run by node. Lossless in all that moves.

    Avatar -> plain GLB -> web_build.mjs (node) -> .web.glb

KTX2 would need a further program (toktx) and gains memory, not bytes: 1024 textures as WebP are a third of PNG and JPEG.
"""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar3d.core.avatar import Avatar
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import Avatar3dError, UsageError
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.khronos import MODULES_VARIABLE, find_node

_PACKAGES: Final = (
    "@gltf-transform/core",
    "@gltf-transform/extensions",
    "@gltf-transform/functions",
    "meshoptimizer",
    "sharp",
)
_SCRIPT: Final = Path(__file__).with_name("web_build.mjs")
_TIMEOUT_S: Final = 300


@dataclass(frozen=True)
class WebTools:
    """Where node and its packages are."""

    node: str
    modules: Path


def find_web_tools() -> WebTools:
    """Node 20 and the packages of tools/web. Raises UsageError (2, WEB_TOOLS_MISSING) naming the line that installs them."""
    node = find_node()
    checkout = Path(__file__).parents[2] / "tools" / "web" / "node_modules"
    for folder in (os.environ.get(MODULES_VARIABLE), checkout):
        if node and folder and all((Path(folder) / name / "package.json").is_file() for name in _PACKAGES):
            return WebTools(node, Path(folder).resolve())
    missing = "node 20 or later" if node is None else "glTF-Transform"
    raise UsageError(
        f"The web format needs {missing}, which is not installed.",
        hint=f"With node 20: npm ci --prefix tools/web, or npm install {' '.join(_PACKAGES)} and name its node_modules in {MODULES_VARIABLE}.",
        id="WEB_TOOLS_MISSING",
    )


def save_web_glb(avatar: Avatar, path: Path | str) -> Path:
    """Write `avatar` as a small GLB (EXT_meshopt_compression, EXT_texture_webp), atomically.

    Raises UsageError (2) without node and its packages, Avatar3dError when they fail.
    """
    tools = find_web_tools()
    with tempfile.TemporaryDirectory(prefix="avatar3d-web-") as folder:
        plain, small = save_glb(avatar, Path(folder) / "plain.glb"), Path(folder) / "small.glb"
        words = [tools.node, str(_SCRIPT), str(tools.modules), str(plain), str(small)]
        try:
            subprocess.run(words, capture_output=True, timeout=_TIMEOUT_S, check=True)
            content = small.read_bytes()
        except subprocess.CalledProcessError as cause:
            raise _failed(_last(cause.stderr)) from cause
        except (OSError, subprocess.TimeoutExpired) as cause:
            raise _failed(str(cause)) from cause
        return write_atomically(path, content)


def _last(told: bytes) -> str:
    lines = [line.strip() for line in told.decode(errors="replace").splitlines() if line.strip()]
    return next((line for line in lines if "Error" in line), lines[-1] if lines else "no word why")[:200]


def _failed(why: str) -> Avatar3dError:
    return Avatar3dError(f"glTF-Transform failed: {why}", hint="Try: npm ci --prefix tools/web.", id="WEB_FAILED")
