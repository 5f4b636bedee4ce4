#!/usr/bin/env python3
"""A ring that can't be had: exit code 5, with the cause that really holds and what to do."""

import ctypes
import errno
import pathlib
import resource
import struct

from program import PASSING, PROGRAM, ProgramTest, main

IO_URING_SETUP = 425
PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2


def forbid_io_uring(number):
    """A seccomp filter like a container's: io_uring_setup(2) answers `number`."""
    load, jump_if_equal, answer = 0x20, 0x15, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | number
    program = [
        (load, 0, 0, 0),
        (jump_if_equal, 0, 1, IO_URING_SETUP),
        (answer, 0, 0, refuse),
        (answer, 0, 0, allow),
    ]
    code = b"".join(struct.pack("HBBI", *each) for each in program)
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    filter_program = Program(len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filter_program)) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")


def limit_descriptors(count):
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


class Refusal(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("a.scenario.json", PASSING)

    def test_seccomp(self):
        for number in (errno.EPERM, errno.ENOSYS):
            with self.subTest(errno=errno.errorcode[number]):
                for words in (("run",), ("probe",)):
                    result = self.run_program(*words, preexec_fn=lambda: forbid_io_uring(number))
                    self.expect(result, 5)
                    self.assertIn("error[E0501]: ", result.stderr)
                    self.assertIn("seccomp", result.stderr)
                    self.assertIn("= help: ", result.stderr)
                    self.assertEqual(result.stdout, "")

    def test_what_needs_no_ring_works_all_the_same(self):
        for words in (("check",), ("list",), ("explain", "recv"), ("--version",)):
            result = self.run_program(*words, preexec_fn=lambda: forbid_io_uring(errno.EPERM))
            self.expect(result, 0)

    def test_descriptors_exhausted(self):
        if b"__ubsan_" in pathlib.Path(PROGRAM).read_bytes():
            self.skipTest("UBSan itself needs descriptors")
        # The files are read, and then there is no room for a ring and its wake-up.
        result = self.run_program("run", preexec_fn=lambda: limit_descriptors(4))
        self.expect(result, 5)
        self.assertIn("error[E0503]: ", result.stderr)
        self.assertIn("RLIMIT_NOFILE", result.stderr)

    def test_a_wrong_file_is_told_first(self):
        self.write("b.scenario.json", "{")
        result = self.run_program("run", preexec_fn=lambda: forbid_io_uring(errno.EPERM))
        self.expect(result, 3)


if __name__ == "__main__":
    main()
