"""Runs a program that ends with its parent: `die_with_parent.py PARENT SIGNAL USER PROGRAM...`."""

import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become PROGRAM, run as USER ("" = the same user). The kernel sends it SIGNAL as soon as PARENT is gone.

    The setting is made after the change of user, because that change clears it. It belongs to the thread that started
    the program, not to the process: see children.start. Only Linux has it; elsewhere the program just runs. Source:
    prctl(2), PR_SET_PDEATHSIG.
    """
    parent, signal_number, user, program = int(arguments[1]), int(arguments[2]), arguments[3], arguments[4:]
    prctl = None
    if sys.platform == "linux":
        import ctypes

        prctl = ctypes.CDLL(None, use_errno=True).prctl
    if user:
        import pwd

        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    if prctl is not None and prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        sys.exit("die_with_parent: the kernel refused PR_SET_PDEATHSIG")
    if os.getppid() != parent:
        sys.exit("die_with_parent: the parent is gone already")
    os.execv(program[0], program)


if __name__ == "__main__":
    main(sys.argv)
