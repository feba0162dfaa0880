"""Sound or known phones become a talking face."""
