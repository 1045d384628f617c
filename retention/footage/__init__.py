"""The recording files: footage roots, reading them, and the one deleter."""
