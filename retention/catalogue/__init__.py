"""The catalogue: the database of cameras, recordings, holds and audit entries."""
