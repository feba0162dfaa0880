"""Voices: text becomes a stream of sound with marks."""
