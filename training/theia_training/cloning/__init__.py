"""Behaviour cloning: demonstrations, caches, the training loop, and what it writes."""
