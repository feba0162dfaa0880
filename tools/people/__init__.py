"""Generated people: pictures with truth masks for training and judging what reads photos."""
