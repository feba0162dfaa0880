#!/bin/sh
# Print the Python to build a venv with, or stop with the cure:  sh find_python.sh 3.12 3.11
# A name on PATH may be a shim that fails, so each candidate is run, and its venv module too.
set -u
fitting=
for candidate in $(for version in "$@"; do echo "python$version"; done) python3 python; do
    found=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case " $* " in *" $found "*) ;; *) continue ;; esac
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$candidate"
        exit 0
    fi
    [ -n "$fitting" ] || { fitting=$candidate; version=$found; }
done

if [ -z "$fitting" ]; then
    echo "avatar3d needs Python $(echo "$*" | sed 's/ / or /g'), and none of them is on PATH." >&2
    echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.12;" >&2
    echo "Windows: winget install Python.Python.3.12) and run the same command again." >&2
    exit 1
fi
# Debian and Ubuntu split venv off into a package of its own.
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "python$version-venv"; } >&2 || exit 1
    echo "$fitting"
    exit 0
fi
echo "$fitting cannot make virtual environments: its venv module is missing. Run this, then the same command again:" >&2
echo "    sudo apt-get install python$version-venv" >&2
exit 1
