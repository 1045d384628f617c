"""The published log: written, compared at start, and read back into a catalogue."""
