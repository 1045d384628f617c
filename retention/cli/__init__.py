"""The command line: parse, call the client, print, exit."""


def main() -> None:
    """Run the command line."""
