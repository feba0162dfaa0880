"""avatar3d: one selfie in; a rigged, talking 3D avatar out."""
