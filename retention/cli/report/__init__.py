"""`retention report`: what auditors, courts and the public ask, answered from the log."""
