"""Rays and pictures: visibility by Embree and the reference renderer."""
