"""The long-running service: wiring, schedule, threads, guards at work."""
