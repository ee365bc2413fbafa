"""`python -m medunsup`: the command line, where its own command is not on the path."""

from medunsup.cli.main import run

if __name__ == "__main__":
    run()
