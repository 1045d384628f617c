"""Retention and deletion of CCTV footage, with evidence holds and an audit log.

The rooms by floor.  A room imports only from lower floors.

    8  cli (hold, audit, report, local)  what people type, and how an answer reads
    7  service (api)                the daemon: threads, schedule, socket, verbs, client
    6  reports (forms)              what people read: status, plan, the log and its books
    6  register                     the cameras and their ids, changed only on record
    6  deletion                     the procedure, from what is due to what became of it
    5  holds                        from the request to the release
    5  publication                  sign, publish, copy, compare, restore
    5  footage (ingest)             the recorders' files: roots, the one deleter, the scan
    4  control                      guards, gate, rules, periods, approvals, who may do what
    3  catalogue                    all SQL: the footage's tables and the log's
    2  tlog (lawful, verify)        the log without a database: format, tree, verifier
    2  site                         settings, clock, lock, reserve, unit, who calls
    1  model (answers, layouts)     pure: values, the decision, coverage, time, words
"""

__version__ = "0.1.0"
