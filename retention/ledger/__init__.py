"""The books of recordings: rolled up into the log, balanced, and what became of one."""
