"""What the verbs answer, as values: one frozen dataclass a verb, by noun.

They stand on the lowest floor, since three parties share them: the rooms whose verbs
make them (and each room the part of `status` that it knows), the command line that
reads them without loading a database, and the JSON Schema that others read.  JSON is
made from them by `model/codec.py`, field by field in their order.  Instants are text in
UTC ("2026-10-24T20:00:00Z"), durations whole seconds where the name ends in `seconds`,
sizes bytes.
"""
