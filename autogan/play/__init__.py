"""A page on which one plays with a trained generator: classes, mixtures, seeds, ways between."""
