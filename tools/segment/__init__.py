"""The net that tells hair, skin, clothes and the rest apart: training and judging. Needs torch (extra `build`)."""
