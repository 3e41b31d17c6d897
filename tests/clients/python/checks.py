"""Runs the checks of a client against the server whose URL is the argument."""

import sys
import traceback


def run(*checks):
    """Calls each check with the URL; the last line says how many passed."""
    url = sys.argv[1].rstrip("/")
    failed = 0
    for check in checks:
        try:
            check(url)
            print(f"ok      {check.__doc__}")
        except Exception:
            failed += 1
            print(f"FAILED  {check.__doc__}")
            traceback.print_exc()
    print(f"{len(checks) - failed} passed" + (f", {failed} failed" if failed else ""))
    sys.exit(1 if failed else 0)
