"""Training: one trainer for every network, resumable to the bit."""
