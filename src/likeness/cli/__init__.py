"""The command line: one thin file per verb. Whatever is heavy is imported inside the commands."""
