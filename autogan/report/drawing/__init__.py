"""Building blocks of pages: the document, axes, SVG and images. Knows nothing about runs."""
