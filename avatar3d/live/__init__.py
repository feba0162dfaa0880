"""Live: frames on one clock, to any number of sinks, and the one socket everybody else talks to."""
