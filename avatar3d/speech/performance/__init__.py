"""A mouth that speaks becomes a face that means it: head, gaze, blinks, brows, breath, emotion."""
