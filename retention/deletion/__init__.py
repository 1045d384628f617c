"""The deletion procedure: what is due, batches, the gate, recovery."""
