"""What colour is this face, without the photo's light? Project, de-light, complete."""
