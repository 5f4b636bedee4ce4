#!/usr/bin/env python3
"""A ring that can't be had: exit code 5, with the cause that really holds and what to do."""

import ctypes
import errno
import json
import pathlib
import resource
import struct

from program import ECHO, PASSING, PROGRAM, ROOT, ProgramTest, main

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


def apply_profile(profile):
    """What a container runtime makes of a profile in Docker's format."""
    actions = {"SCMP_ACT_ALLOW": 0x7FFF0000, "SCMP_ACT_ERRNO": 0x00050000}
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(actions[profile["defaultAction"]]))
    for rule in profile["syscalls"]:
        action = actions[rule["action"]] | rule["errnoRet"]
        for name in rule["names"]:
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number == -1 or library.seccomp_rule_add(context, action, number, 0) != 0:
                raise OSError(0, f"libseccomp refuses {name}")
    if library.seccomp_load(context) != 0:
        raise OSError(0, "seccomp_load")


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

    def test_the_profile_for_containers_allows_what_is_needed(self):
        profile = json.loads(pathlib.Path(ROOT, "docs/ci/seccomp.json").read_text())
        self.write("b.scenario.json", ECHO)
        script = 'grep -q "^Seccomp:.2" /proc/self/status && ! mount -t tmpfs none /mnt && "$0" run'
        result = self.run_command("sh", "-c", script, PROGRAM,
                                  preexec_fn=lambda: apply_profile(profile))
        self.expect(result, 0)
        self.assertIn("3 passed", result.stdout)
        self.assertIn("permission denied", result.stderr)

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
