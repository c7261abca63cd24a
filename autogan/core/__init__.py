"""The foundation of all packages: errors, files, registry, hyperparameters, access to TF-GAN."""
