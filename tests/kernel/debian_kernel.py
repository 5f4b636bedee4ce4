#!/usr/bin/env python3
"""Runs the engine's tests, the examples and the conformance corpus on the kernel of this Debian
release (6.1 on Debian 12), emulated by qemu. What that kernel lacks is skipped there.

    debian_kernel.py BUILD_DIR             the test
    debian_kernel.py BUILD_DIR COMMAND     a shell command there, to look into a failure

The kernel's package is downloaded, not installed; the machine's whole disk is an initramfs with the
programs and what they are linked to. It has a loopback interface and nothing else. Exit code 77
(skipped) when the package can't be downloaded or qemu is not there.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

PROGRAMS = ("uring-scenario", "test_engine")
# What a machine that is emulated on a slow one may take; an idle one needs about a minute.
BOOT_SECONDS = 1500
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp TERM=dumb
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
ln -s /proc/self/fd /dev/fd
ip link set lo up
cd /work
echo "KERNEL $(uname -r)"
./uring-scenario probe | head -20
@COMMANDS@
poweroff -f
"""
TESTS = """./uring-scenario run examples tests/conformance
echo "RESULT scenarios $?"
./test_engine "~[full]" --colour-mode none --durations yes
echo "RESULT engine $?"
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def unpack_kernel(folder):
    """The kernel image of the release's linux-image-amd64."""
    shown = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], text=True,
                           capture_output=True, check=False).stdout
    found = re.search(r"Depends: (linux-image-\S+)", shown)
    if not found:
        skip("apt knows no linux-image-amd64")
    # As root, apt wants to give the file to its own user, who can't write here.
    done = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download",
                           found.group(1)], cwd=folder, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        skip(f"{found.group(1)} can't be downloaded: {done.stderr.strip()}")
    package = next(folder.glob("*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, folder / "unpacked"], check=True)
    return next((folder / "unpacked" / "boot").glob("vmlinuz-*"))


def libraries_of(program):
    listed = subprocess.run(["ldd", program], text=True, capture_output=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def make_disk(build, folder, commands):
    disk = folder / "disk"
    for name in ("bin", "work/tests"):
        (disk / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", disk / "bin")
    for program in PROGRAMS:
        target = disk / "work" / program
        subprocess.run(["strip", "-o", target, build / program], check=True)
        for library in libraries_of(build / program):
            (disk / library[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, disk / library[1:])
    root = pathlib.Path(__file__).resolve().parents[2]
    shutil.copytree(root / "docs", disk / "work" / "docs")
    # The texts of examples are compared with what is compiled.
    for name in ("engine/custom.hpp", "tests/unit/engine/manual_test.cpp",
                 "tests/unit/engine/fault_example_test.cpp", "tests/unit/engine/custom_test.cpp"):
        (disk / "work" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, disk / "work" / name)
    shutil.copytree(root / "examples", disk / "work" / "examples")
    shutil.copytree(root / "tests" / "conformance", disk / "work" / "tests" / "conformance")
    (disk / "etc").mkdir()
    (disk / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\n"
                                         "nobody:x:65534:65534::/:/bin/false\n")
    (disk / "etc" / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (disk / "init").write_text(INIT.replace("@COMMANDS@", commands))
    (disk / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(disk)) for path in sorted(disk.rglob("*")))
    with open(folder / "initramfs", "wb") as made:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=disk, stdout=made, check=True,
                       input=names.encode())
    return folder / "initramfs"


def boot(kernel, disk):
    machine = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-m", "2048", "-smp", "2",
               "-nographic", "-no-reboot", "-net", "none", "-kernel", kernel, "-initrd", disk,
               "-append", "console=ttyS0 quiet panic=-1 rdinit=/init cryptomgr.notests"]
    # What it has said is shown even if it hangs and somebody loses patience.
    said = ""
    with subprocess.Popen(list(map(str, machine)), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, errors="replace") as running:
        watch = threading.Timer(BOOT_SECONDS, running.kill)
        watch.start()
        for line in running.stdout:
            said += line.replace("\r", "")
            print(line.rstrip(), flush=True)
        watch.cancel()
    return said


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    for tool in ("qemu-system-x86_64", "busybox", "cpio"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed (scripts/setup --full installs it)")
    with tempfile.TemporaryDirectory(prefix="uring-kernel-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        kernel = unpack_kernel(folder)
        said = boot(kernel, make_disk(build, folder, sys.argv[2] if sys.argv[2:] else TESTS))
    if sys.argv[2:]:
        return
    results = dict(re.findall(r"^RESULT (\w+) (\d+)$", said, re.MULTILINE))
    print(f"{kernel.name}: {results or 'it did not come to an end'}")
    sys.exit(0 if results == {"scenarios": "0", "engine": "0"} else 1)


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    main()
