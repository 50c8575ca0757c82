"""How fast encoders run here: every runtime in a process of its own, timed in turn."""
