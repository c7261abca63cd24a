"""A search or a training at work: the loop and its record, the trial and its worker."""
