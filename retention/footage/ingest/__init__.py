"""From the disk into the catalogue: scan, dating, quarantine, lost and changed files."""
