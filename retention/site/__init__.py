"""This installation: its settings, its clock, its lock, its reserve, its unit, who calls."""
