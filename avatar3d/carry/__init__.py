"""Carries what a head can do to a mesh that somebody made of it: matched points, displacements, skin weights."""
