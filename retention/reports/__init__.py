"""What people read: status, plan, entries, find, balance, proofs."""
