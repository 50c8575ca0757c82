"""What every node of ours is built from: start-up, parameters, life cycle, pacing, diagnostics, calls."""
