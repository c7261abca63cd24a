"""How a page is put together: the document, axes, SVG and images. Knows nothing of runs."""
