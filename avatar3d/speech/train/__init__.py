"""Training the speech network: corpus, targets, trainer, evaluation (extra `train`)."""
