"""`retention hold`: what is typed at three in the morning, and what is answered."""
