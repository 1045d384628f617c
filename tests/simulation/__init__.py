"""The program beside a world whose truth is known, driven by one seed.

`disk` keeps real files, each beside what is true of it; `recorders` write them, right or
lying; `people` hold, release and rule; `program` is the production code, which knows
nothing of this, and crashes; `oracle` compares truth, disk and log; `simulation` has the
events in order; `scenarios` says which worlds there are.

`python -m tests.simulation --years 1 --cameras 50 --seed 7` runs a long one.
"""
