"""What the programs of this folder share: they run checks one after the other and print a line for each."""

import os
import sys
import time
import traceback

PATIENCE = 30  # seconds for what must come true sooner or later
LENGTH = 500  # of what is printed of an error


class Checks:
    """Counts what failed. A check is a function that raises if something is not as it should be."""

    def __init__(self):
        self.failed = 0

    def __call__(self, name, check, *args):
        try:
            check(*args)
        except Exception as err:  # whatever a client raises is a finding
            self.failed += 1
            print(f"FAILED {name}: {describe(err)}", flush=True)
            traceback.print_exc()
        else:
            print(f"ok {name}", flush=True)

    def exit(self):
        # Not sys.exit: threads of a client that is in trouble would be waited for.
        sys.stdout.flush()
        os._exit(1 if self.failed else 0)


def describe(err):
    line = traceback.extract_tb(err.__traceback__)[-1].lineno
    ours = [f.lineno for f in traceback.extract_tb(err.__traceback__) if f.filename == sys.argv[0]]
    text = " ".join(str(err).split())[:LENGTH] or "no message"
    return f"{type(err).__name__}: {text} (line {ours[-1] if ours else line})"


def equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def that(condition, what):
    if not condition:
        raise AssertionError(what)


def raises(kinds, act, what):
    """Fails unless act raises one of kinds."""
    try:
        act()
    except kinds:
        return
    raise AssertionError(f"{what}: nothing was raised")


def eventually(ask, what):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {PATIENCE} s: {what}")
        time.sleep(0.05)


def arguments():
    """The address of the broker, and the prefix of all names of this run."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PREFIX")
    return sys.argv[1], sys.argv[2]
