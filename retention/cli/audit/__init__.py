"""`retention audit`: the log asked, verified and handed over."""
