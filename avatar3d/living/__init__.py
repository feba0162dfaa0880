"""A bridge at work: voices, ears and cameras behind the faces, and where these are sent."""
