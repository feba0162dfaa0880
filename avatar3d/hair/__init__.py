"""A first head of hair from one picture: where it grows, how far it stands off, its colour, as a textured shell."""
