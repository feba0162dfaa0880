"""People who do not exist: a photo and the truth of every pixel, for users and for whoever trains."""
