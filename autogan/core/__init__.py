"""What all rooms stand on: errors, files, the registry, hyperparameters, the door to TF-GAN."""
