"""Subcommands of `theia` that need the train extra."""
