"""The subcommands of `theia episodes`, by what they do with episodes."""
