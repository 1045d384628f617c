"""A published log is checked: what is wrong, and from which entry on."""
