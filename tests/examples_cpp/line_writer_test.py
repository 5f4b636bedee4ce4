"""Lines of many coroutines: never torn, in each one's order, whatever takes them."""

import fcntl
import os
import subprocess
import tempfile
import unittest

from examples import LONG, main, program

F_SETPIPE_SZ = 1031


def command(tasks, lines, length):
    numbers = {"--tasks": tasks, "--lines": lines, "--length": length}
    return [program("line_writer"), *(f"{name}={value}" for name, value in numbers.items())]


class LineWriter(unittest.TestCase):
    def check(self, output, tasks, lines, length):
        heard = [[] for _ in range(tasks)]
        for line in output.decode().splitlines():
            self.assertRegex(line, r"^task \d+ line \d+ \.+$")
            self.assertEqual(len(line), length)
            _, task, _, number, _ = line.split(" ")
            heard[int(task)].append(int(number))
        self.assertEqual(heard, [list(range(lines))] * tasks)

    def test_a_pipe_that_takes_it_in_pieces(self):
        # Longer than what a pipe takes at once: without turns, other lines would get in between.
        for length in (60, 10000):
            with self.subTest(length):
                read_end, write_end = os.pipe()
                fcntl.fcntl(write_end, F_SETPIPE_SZ, 4096)
                with subprocess.Popen(command(8, 50, length), stdout=write_end) as running:
                    os.close(write_end)
                    output = bytearray()
                    while piece := os.read(read_end, 777):
                        output += piece
                    self.assertEqual(running.wait(LONG), 0)
                os.close(read_end)
                self.check(output, 8, 50, length)

    def test_a_file_is_not_overwritten(self):
        with tempfile.TemporaryFile() as file:
            subprocess.run(command(20, 200, 100), stdout=file, check=True, timeout=LONG)
            file.seek(0)
            self.check(file.read(), 20, 200, 100)

    def test_a_reader_that_went_away_is_told(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        done = subprocess.run(
            command(3, 3, 30), stdout=write_end, stderr=subprocess.PIPE, timeout=LONG
        )
        os.close(write_end)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, b"line_writer: Broken pipe\n")


main()
