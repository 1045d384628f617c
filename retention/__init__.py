"""Retention and deletion of CCTV footage, with evidence holds and an audit log."""

__version__ = "0.1.0"
