"""The local API: HTTP with JSON over a Unix socket, for callers the kernel names."""
