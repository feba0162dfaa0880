"""The body below the head: formed, laid into a T, joined at the neck, dressed."""
