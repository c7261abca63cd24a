"""Workers as their driver sees them: where they live, what is said to them, who is free, who died.

Knows nothing of records and of what a training is: messages go out, and messages come back.
"""
