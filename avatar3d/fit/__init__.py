"""A head fitted to one face: identity, expression, gaze, pose and camera."""
