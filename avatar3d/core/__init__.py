"""The nouns every room may speak of; numpy only."""
