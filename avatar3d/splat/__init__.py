"""Gaussians that ride on an avatar, add what no template holds, and are baked back into it."""
