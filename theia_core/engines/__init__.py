"""Engines: what `theia export` makes of a checkpoint, and the certificate that says it is the same."""
