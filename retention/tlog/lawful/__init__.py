"""Whether what a log says was allowed by the rules that were in force: law by law."""
