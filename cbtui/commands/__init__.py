"""The commands, one module each: `add_arguments` says what a command takes, `run` does it and gives the exit status.

Nothing heavy is imported before `run`.
"""
