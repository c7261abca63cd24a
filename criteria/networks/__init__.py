"""Feature networks, which map images to logits and pooled features, and their weights' files."""
