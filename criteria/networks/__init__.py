"""Feature networks: images in, class scores and pooled features out; and their weights' files."""
