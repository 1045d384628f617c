/* Hold, gate, batch, crash, recovery and restore (design, sections 7 and 9), for spin.

   Two recordings are due; a hold may come to cover the first one at any instant.  The
   service may be killed between any two steps, once also with its catalogue put back
   from a backup, and anybody may put an unsigned entry into the published log.  Steps
   have the names that they have in the code.

   Left out of the build, each of these must let spin find a fault:
     -DNO_GATE       an unlink does not ask the gate           (control/gate.py, claim)
     -DNO_REDECIDE   the intent trusts what was chosen before  (deletion/redecide.py)
     -DNO_SIGNATURE  unlinks begin before the intent is signed (deletion/batch.py)
     -DNO_RULE_2     what comes back unsigned is carried out   (publication/replay.py)
     -DNO_REPLAY     a restored catalogue begins without its log
     -DNO_RECHECK    recovery unlinks what the intent named    (deletion/batch.py, recover)
*/

#define FILES 2
#define covers(f) (f == 0)

mtype = { WAITING, UNLINKING, SETTLED, RESCUED };
mtype = { NONE, OPEN, COMPLETE };

/* On the disk. */
bool there[FILES];

/* In the catalogue: changed by COMMIT alone, and all at once. */
bool held;
mtype intent = NONE;
bool intended[FILES];
bool recorded[FILES];        /* the log has what became of it, as ours */

/* In the published log. */
bool hold_published, intent_signed;
bool log_open[FILES];        /* named by a signed intent that no completion follows */
bool log_gone[FILES];        /* a completion says that it was deleted */
bool forged;                 /* an unsigned intent that names the held file */

/* In memory: gone with the process. */
bool writer, gate, flying;
mtype status[FILES];

/* What an operator was told, and what this program removed. */
bool told[FILES];
bool unlinked[FILES];

byte life;                   /* which process of the service it is */
bool ready;                  /* recovered, its threads run */
bool placed;                 /* the hold's request was answered */
byte cycles;

inline lock(what)   { atomic { !what -> what = true } }
inline unlock(what) { what = false }

inline unlink(f) {
    /* P1: nobody was told that it is protected.  P3: its intent is signed. */
    assert(!told[f]);
#ifndef NO_SIGNATURE
    assert(intent_signed);
#endif
    there[f] = false;
    unlinked[f] = true
}

inline complete() {
    lock(writer);
    atomic {
        f = 0;
        do
        :: f < FILES ->
            if
            :: intended[f] && !there[f] -> recorded[f] = true
            :: else
            fi;
            intended[f] = false;
            f++
        :: else -> break
        od;
        intent = COMPLETE
    };
    unlock(writer);
    if                       /* published at once, or within the minute, or never */
    :: atomic {
        f = 0;
        do
        :: f < FILES ->
            log_gone[f] = recorded[f];
            log_open[f] = false;
            f++
        :: else -> break
        od }
    :: skip
    fi
}

inline publish() {
    atomic {
        intent_signed = true;
        f = 0;
        do
        :: f < FILES -> log_open[f] = log_open[f] || intended[f]; f++
        :: else -> break
        od
    }
}

proctype deletion(byte mine) {
    byte f;
    bool chosen[FILES];
    {
        do
        :: cycles > 0 && intent != OPEN ->
            cycles--;
            /* choose: read without a lock */
            f = 0;
            do
            :: f < FILES ->
                chosen[f] = there[f] && !(held && covers(f));
                f++
            :: else -> break
            od;
            /* enter: before the intent commits */
            lock(gate);
            atomic {
                f = 0;
                do
                :: f < FILES ->
                    if
                    :: chosen[f] -> status[f] = WAITING
                    :: else -> status[f] = SETTLED
                    fi;
                    f++
                :: else -> break
                od;
                flying = true
            };
            unlock(gate);
            /* intend: BEGIN IMMEDIATE, re-decide, COMMIT */
            lock(writer);
#ifndef NO_REDECIDE
            f = 0;
            do
            :: f < FILES ->
                if
                :: chosen[f] && held && covers(f) ->
                    chosen[f] = false;
                    status[f] = RESCUED
                :: else
                fi;
                f++
            :: else -> break
            od;
#endif
            atomic {
                f = 0;
                do
                :: f < FILES -> intended[f] = chosen[f]; f++
                :: else -> break
                od;
                intent = OPEN;
                intent_signed = false
            };
            unlock(writer);
            /* publish: with its checkpoint */
#ifndef NO_SIGNATURE
            publish();
#endif
            f = 0;
            do
            :: f < FILES ->
                if
                :: !chosen[f]
                :: else ->
                    /* claim */
#ifdef NO_GATE
                    status[f] = UNLINKING;
#else
                    lock(gate);
                    if
                    :: status[f] == WAITING -> status[f] = UNLINKING
                    :: else
                    fi;
                    unlock(gate);
#endif
                    if
                    :: status[f] == UNLINKING ->
                        atomic { unlink(f) };
                        status[f] = SETTLED
                    :: else
                    fi
                fi;
                f++
            :: else -> break
            od;
#ifdef NO_SIGNATURE
            publish();
#endif
            complete();
            /* leave */
            lock(gate);
            flying = false;
            unlock(gate)
        :: cycles == 0 -> break
        od
    } unless { life != mine }
}

proctype place(byte mine) {
    bool met;
    {
        (ready);
        /* BEGIN IMMEDIATE, write, shut the gate, rescue, COMMIT */
        lock(writer);
        lock(gate);
        if
        :: flying && status[0] == WAITING -> status[0] = RESCUED
        :: flying && status[0] == UNLINKING -> met = true
        :: else
        fi;
        held = true;
        unlock(gate);
        unlock(writer);
        /* published with its checkpoint before it is answered */
        hold_published = true;
        /* the answer waits for what is being unlinked, or says that it follows */
        if
        :: met && status[0] != UNLINKING -> met = false
        :: met -> skip
        :: else
        fi;
        atomic { told[0] = there[0] && !met; placed = true }
    } unless { life != mine }
}

inline forget() {
    writer = false; gate = false; flying = false;
    status[0] = SETTLED; status[1] = SETTLED;
    ready = false
}

/* The catalogue of before all this, and the published log as it lies there. */
inline restore() {
    held = false;
    intent = NONE;
    f = 0;
    do
    :: f < FILES -> intended[f] = false; recorded[f] = false; f++
    :: else -> break
    od;
#ifndef NO_REPLAY
    held = hold_published;
    f = 0;
    do
    :: f < FILES ->
        recorded[f] = log_gone[f];
        if
        :: log_open[f] -> intended[f] = true; intent = OPEN; intent_signed = true
        :: else
        fi;
        f++
    :: else -> break
    od;
#endif
#ifdef NO_RULE_2
    if
    :: forged -> intent = OPEN; intended[0] = true; held = false; intent_signed = true
    :: else
    fi;
#endif
}

inline recover() {
    if
    :: intent == OPEN ->
        f = 0;
        do
        :: f < FILES ->
            if
            :: intended[f] && there[f] && intent_signed ->
#ifndef NO_RECHECK
                if
                :: held && covers(f)
                :: else -> atomic { unlink(f) }
                fi
#else
                atomic { unlink(f) }
#endif
            :: else
            fi;
            f++
        :: else -> break
        od;
        complete()
    :: else
    fi
}

init {
    byte f;
    byte crashes = 1;
    bool may_restore = true;
    there[0] = true; there[1] = true;
    status[0] = SETTLED; status[1] = SETTLED;
    cycles = 1;
    ready = true;
    run deletion(life);
    run place(life);
    do
    :: crashes > 0 ->
        /* killed between any two steps of theirs */
        atomic { crashes--; life++; forget() };
        if
        :: may_restore ->
            may_restore = false;
            forged = true;
            atomic { restore() }
        :: skip
        fi;
        recover();
        cycles = 1;
        ready = true;
        run deletion(life);
        if
        :: !placed -> run place(life)
        :: else
        fi
    :: (_nr_pr == 1) -> break
    od;
    /* P1 */
    assert(!told[0] || there[0]);
    /* P3: what is gone is on record as ours, and nothing is left open */
    assert(intent != OPEN);
    f = 0;
    do
    :: f < FILES -> assert(!unlinked[f] || recorded[f]); f++
    :: else -> break
    od
}
