"""For GDB: writes the chain of functions above each call from JavaScript into the core.

    CHAINS=chains.txt gdb -q -batch -x chains.py --args espruino ...

One line a chain, innermost first, each chain once; stack.mjs adds up their frames.
"""

import os

import gdb

# Everything that a program can reach in core/ goes through one of these.
ENTRIES = "^dc_"
GLUE = "jswrap_devcrypto"


class Entry(gdb.Breakpoint):
    """Notes the chain and goes on; calls within the core are not of interest."""

    seen = set()
    out = open(os.environ["CHAINS"], "a", encoding="utf8")

    def stop(self):
        frame = gdb.newest_frame().older()
        if frame is None or not (frame.name() or "").startswith(GLUE):
            return False
        names = [gdb.newest_frame().name()]
        while frame is not None:
            names.append(frame.name() or "?")
            frame = frame.older()
        chain = " ".join(names)
        if chain not in self.seen:
            self.seen.add(chain)
            self.out.write(chain + "\n")
            self.out.flush()
        return False


for setting in ("pagination off", "confirm off", "print thread-events off"):
    gdb.execute("set " + setting)
for signal in ("SIGPIPE", "SIGINT"):
    gdb.execute("handle %s nostop noprint pass" % signal)
functions = gdb.execute("info functions " + ENTRIES, to_string=True)
for name in sorted(set(word for word in functions.replace("(", " ").split() if word.startswith("dc_"))):
    Entry("-function " + name)
gdb.execute("run")
