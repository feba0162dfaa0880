"""Sound files of strangers become mono blocks at 16 kHz, or an error that says why not."""
