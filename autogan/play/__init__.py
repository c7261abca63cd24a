"""A page to play with a trained generator: classes, mixtures, seeds, interpolations."""
