"""Pure: values, errors, the decision to delete, coverage, time, words. No file, no socket, no clock."""
