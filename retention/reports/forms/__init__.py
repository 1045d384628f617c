"""The forms that a report is written in besides a terminal's: CSV, HTML, PDF.

Each is a function of the value alone: the same report, the same bytes.
"""
