"""The log without a database: entries, kinds, rows, tree, tiles, notes, proofs."""
