"""From a fitted head to a rigged avatar: this person's own shapes, skeleton, meshes and materials."""
