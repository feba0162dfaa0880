"""Avatar to file, file to Avatar, promises checked."""
