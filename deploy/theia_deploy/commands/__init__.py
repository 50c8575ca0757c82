"""The subcommands of `theia` that make, prove and measure engines."""
