"""See that the system libraries and programs some wheels need are there: python system_packages.py main|dev|train|bpy|browser|godot.

As root on Debian or Ubuntu the missing ones are installed; otherwise the one line to run is printed and the exit code is 1.
Standard library only: it runs before anything is installed. macOS and Windows need none of them.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

# What is looked for: a shared library by its soname, a program on PATH, or a folder. What brings it: a Debian package.
LIBRARIES = {
    "main": {"libGL.so.1": "libgl1", "libglib-2.0.so.0": "libglib2.0-0"},  # OpenCV, which mediapipe brings
    "dev": {  # Open3D
        "libEGL.so.1": "libegl1",
        "libgomp.so.1": "libgomp1",
        "libX11.so.6": "libx11-6",
        "libusb-1.0.so.0": "libusb-1.0-0",
        "libudev.so.1": "libudev1",
        "libespeak-ng.so.1": "libespeak-ng1",  # the tests speak with the system's espeak-ng, too
        "libportaudio.so.2": "libportaudio2",  # sounddevice
    },
    "bpy": {
        "libX11.so.6": "libx11-6",
        "libXrender.so.1": "libxrender1",
        "libXxf86vm.so.1": "libxxf86vm1",
        "libXfixes.so.3": "libxfixes3",
        "libXi.so.6": "libxi6",
        "libxkbcommon.so.0": "libxkbcommon0",
        "libSM.so.6": "libsm6",
        "libICE.so.6": "libice6",
        "libGL.so.1": "libgl1",
        "libEGL.so.1": "libegl1",
        "libgomp.so.1": "libgomp1",
    },
    "browser": {},
    "godot": {},
    "train": {},
}
PROGRAMS = {
    "browser": {"chromium": "chromium", "mcs": "mono-mcs", "nunit-console": "nunit-console"},  # the C# side
    "godot": {"godot3-server": "godot3-server"},  # Godot 3.2 without a window; Debian 12 has no other
    "train": {"flite": "flite", "festival": "festival"},  # two voices of the speech corpus
}
FOLDERS = {
    "train": {"/usr/share/festival/voices/english/kal_diphone": "festvox-kallpc16k"},  # festival comes without a voice
    "browser": {"/usr/lib/cli/nunit.framework-2.6.3": "libnunit-framework2.6.3-cil"},
}


def missing_packages(purpose: str) -> list[str]:
    """Debian packages that bring what is absent."""
    libraries = [package for soname, package in LIBRARIES[purpose].items() if not _loads(soname)]
    programs = [package for program, package in PROGRAMS.get(purpose, {}).items() if not shutil.which(program)]
    folders = [package for folder, package in FOLDERS.get(purpose, {}).items() if not Path(folder).is_dir()]
    return sorted({*libraries, *programs, *folders})


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def main(purposes: list[str]) -> int:
    if not sys.platform.startswith("linux"):
        return 0
    packages = sorted({package for purpose in purposes for package in missing_packages(purpose)})
    if not packages:
        return 0
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"Some system packages are missing. Run this, then the same command again:\n    sudo {' '.join(install)}")
        return 1
    print(f"Installing system packages: {' '.join(packages)}", flush=True)
    quiet = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update", "-qq"], check=True, **quiet)
    subprocess.run([install[0], "-qq", *install[1:]], check=True, **quiet)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
