"""The audit log: entries, their tree, the rows beside them, and their verification."""
