"""`python -m avatar3d demo`: the command line without an installed script."""

from avatar3d.cli import main

main(prog_name="avatar3d")
