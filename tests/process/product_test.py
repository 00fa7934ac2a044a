#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The demonstration, line by line: product_test.py BIN_DIRECTORY [PART...]

The words of QUOIT_TEST_EMULATOR (wine, qemu-aarch64 ...) are put before each program.
Producer and consumer run as a user runs them, only faster. The producer's output follows from its seed, and the
consumer's output follows from the producer's.
"""
import array
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time

sys.dont_write_bytecode = True
from example_programs import example_programs  # noqa: E402
from product_suite import Failure, Suite, check  # noqa: E402

MASK = 2**64 - 1


def random_units(seed):
    """SplitMix64, as in examples/product/random.h."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        yield ((z ^ z >> 31) >> 11) / 2**53


def expected_products(seed, count, loss=0.05, first=1):
    """Returns {id: number} for each product that is not omitted on purpose."""
    units = random_units(seed)
    products = {}
    for number in range(first, first + count):
        lost, value, _interval = next(units) < loss, next(units), next(units)
        if not lost:
            products[number] = value
    return products


def is_shortest(text):
    value = float(text)
    return not any(float(f"{value:.{digits}g}") == value and len(f"{value:.{digits}g}") < len(text)
                   for digits in range(1, 17))


def check_producer(lines, products):
    """Checks the order of the lines. Returns {id: text} of those that were pushed."""
    passed, line = {}, iter(lines + [""])
    current = next(line)
    for number, value in products.items():
        got_id, _, got_number = current.partition(" ")
        check(got_id == str(number), f"the producer's line {current!r} should begin with {number}")
        check(float(got_number) == value, f"product {number} is {got_number}, not {value!r}")
        check(is_shortest(got_number), f"{got_number} has more digits than it needs")
        current = next(line)
        if current == f"DROPPED {number}":
            current = next(line)
        else:
            passed[number] = got_number
    check(current == "", f"the producer's line {current!r} should not be there")
    return passed


def check_consumer(lines, passed, last=None):
    """Checks ids 1 to the last one pushed, once each: the number if it was pushed, else 0.0."""
    last = max(passed) if last is None else last
    expected = [f"{n} {passed.get(n, '0.0')}" for n in range(1, last + 1)]
    for at, (got, right) in enumerate(zip(lines, expected), 1):
        check(got == right, f"the consumer's line {at} is {got!r}, not {right!r}")
    check(len(lines) == len(expected), f"the consumer has {len(lines)} lines, not {len(expected)}")


def demonstration(suite):
    """Every scheme, both ways to synchronize: half of the products are dropped, and the consumer's lines match."""
    for scheme in suite.schemes:
        for sync in ["atomic", "semaphore"]:
            name, count = suite.name(scheme), 400
            common = ["--name", name, "--sync", sync]
            producer = suite.start("producer", *common, "--count", str(count),
                                   "--interval", "0.0005:0.0015", "--seed", "7")
            consumer = suite.start("consumer", *common, "--interval", "0.001:0.003", "--seed", "8")
            lines = suite.end(producer)
            passed = check_producer(lines, expected_products(7, count))
            check_consumer(suite.end(consumer), passed)
            dropped = sum(line.startswith("DROPPED") for line in lines)
            check(0 < dropped < count, f"{dropped} of {count} dropped")
            check(not suite.is_there(name), "the consumer left the queue behind")
            print(f"  {name} {sync}: {count - len(expected_products(7, count))} lost, {dropped} dropped")


def same_seed_slow_consumer(suite):
    """The same products again, although far more are dropped."""
    dropped = []
    for interval in ["0.0001:0.0003", "0.01:0.02"]:
        name, count = suite.name(suite.durable), 300
        producer = suite.start("producer", "--name", name, "--count", str(count),
                               "--interval", "0.0005:0.0015", "--seed", "21", "--loss", "0.2")
        consumer = suite.start("consumer", "--name", name, "--interval", interval)
        lines = suite.end(producer)
        passed = check_producer(lines, expected_products(21, count, 0.2))
        check_consumer(suite.end(consumer), passed)
        dropped.append(sum(line.startswith("DROPPED") for line in lines))
    check(dropped[1] > dropped[0], f"a slower consumer, and fewer dropped: {dropped}")


def no_consumer_then_one(suite):
    """Without a consumer all products except five are dropped; a later consumer gets those five, and the gaps."""
    for capacity in [1, 5, 8]:
        name, count = suite.name(suite.durable), 30
        producer = suite.start("producer", "--name", name, "--count", str(count), "--interval",
                               "0:0", "--seed", "3", "--capacity", str(capacity))
        passed = check_producer(suite.end(producer), expected_products(3, count))
        check(len(passed) == capacity, f"{len(passed)} fitted into a queue of {capacity}")
        suite.refused("producer", "--name", name, "--capacity", str(capacity), "--count", "1",
                      word=f"{capacity} products", code=1)
        consumer = suite.start("consumer", "--name", name, "--interval", "0:0")
        check_consumer(suite.end(consumer), passed)


def losses(suite):
    """All omitted: no line at all. None omitted: each has a line."""
    name = suite.name(suite.durable)
    consumer = suite.start("consumer", "--name", name, "--interval", "0:0")
    producer = suite.start("producer", "--name", name, "--count", "20", "--interval", "0:0",
                           "--loss", "1")
    check(suite.end(producer) == [], "a lost product was printed")
    check(suite.end(consumer) == [], "a lost product was passed on")
    name = suite.name(suite.durable)
    producer = suite.start("producer", "--name", name, "--count", "20", "--interval", "0:0",
                           "--loss", "0", "--seed", "5", "--capacity", "20")
    passed = check_producer(suite.end(producer), expected_products(5, 20, 0))
    check(len(passed) == 20, "a product is missing")
    check_consumer(suite.end(suite.start("consumer", "--name", name, "--interval", "0:0")), passed)


def counts(suite):
    """--count ends a consumer after that many lines, also in the middle of a gap; the next consumer continues."""
    name = suite.name(suite.durable)
    producer = suite.start("producer", "--name", name, "--count", "60", "--interval", "0:0",
                           "--seed", "9", "--loss", "0.6", "--capacity", "60")
    passed = check_producer(suite.end(producer), expected_products(9, 60, 0.6))
    lines = []
    for _ in range(max(passed) // 3):
        part = suite.end(suite.start("consumer", "--name", name, "--interval", "0:0",
                                     "--count", "3"))
        check(len(part) == 3, f"--count 3 printed {len(part)} lines")
        lines += part
    lines += suite.end(suite.start("consumer", "--name", name, "--interval", "0:0"))
    check_consumer(lines, passed)


def wait_for_lines(suite, process, count):
    deadline = time.monotonic() + 60
    while suite.lines_so_far(process) < count:
        check(process.poll() is None, f"{process.args} ended early")
        check(time.monotonic() < deadline, f"{process.args} prints nothing")
        time.sleep(0.001)


def consumer_killed(suite):
    """kill -9, repeatedly: a line may be printed twice, if the process was killed after it; none is missing."""
    # Windows does not return the semaphore counts of crashed processes.
    for scheme, sync in [("file:", "atomic")] if suite.windows else [
            ("posix:", "atomic"), ("sysv:", "atomic"), ("file:", "semaphore")]:
        name = suite.name(scheme)
        common = ["--name", name, "--sync", sync]
        producer = suite.start("producer", *common, "--count", "1500", "--interval",
                               "0.0005:0.0015", "--seed", "11")
        lines, kills = [], 6
        for _ in range(kills):
            consumer = suite.start("consumer", *common, "--interval", "0.001:0.003")
            wait_for_lines(suite, consumer, 40)
            consumer.kill()
            lines += suite.end(consumer, -signal.SIGKILL)
        passed = check_producer(suite.end(producer), expected_products(11, 1500))
        lines += suite.end(suite.start("consumer", *common, "--interval", "0:0.001"))
        once = [line for at, line in enumerate(lines) if at == 0 or line != lines[at - 1]]
        check(len(lines) - len(once) <= kills, "more lines came twice than consumers died")
        check_consumer(once, passed)


def producer_killed(suite):
    """kill -9: the next producer continues with the next id, and pushed products are not lost."""
    for scheme, sync in [("windows:", "atomic"), ("file:", "atomic")] if suite.windows else [
            ("posix:", "atomic"), ("sysv:", "semaphore"), ("file:", "atomic")]:
        name = suite.name(scheme)
        common = ["--name", name, "--sync", sync]
        consumer = suite.start("consumer", *common, "--interval", "0:0")
        printed, missing = {}, set()
        for run in range(5):
            options = ["--interval", "0.001:0.002", "--loss", "0"]
            options += ["--count", "30"] if run == 4 else []
            producer = suite.start("producer", *common, *options)
            if run < 4:
                wait_for_lines(suite, consumer, 1)  # it has the queue open, which may end with its last user
                wait_for_lines(suite, producer, 25)
                producer.kill()
            lines = suite.end(producer, 0 if run == 4 else -signal.SIGKILL)
            for line in lines:
                if line.startswith("DROPPED"):
                    missing.add(int(line.split()[1]))
                    continue
                number, value = line.split()
                check(int(number) not in printed, f"id {number} was used twice")
                printed[int(number)] = value
            if run < 4:
                missing.add(max(printed))  # it may have been killed before it pushed this one
        got = [line.split() for line in suite.end(consumer)]
        check([int(number) for number, _ in got] == list(range(1, len(got) + 1)), "ids are missing")
        check(len(got) >= max(set(printed) - missing), f"{len(got)} lines for {max(printed)} products")
        for number, value in got:
            right = printed.get(int(number), "0.0")
            check(value == right or (value == "0.0" and int(number) in missing),
                  f"{number} came as {value}, not {right}")


def signals(suite):
    """SIGINT and SIGTERM end both programs at once and with success, in any wait."""
    for ending in [signal.SIGINT, signal.SIGTERM]:
        for sync in ["atomic", "semaphore"]:
            name = suite.name(suite.durable)
            common = ["--name", name, "--sync", sync, "--interval", "1000:1000"]
            lonely = suite.start("consumer", "--name", suite.name(suite.durable))
            producer = suite.start("producer", *common, "--loss", "0")
            wait_for_lines(suite, producer, 1)
            consumer = suite.start("consumer", *common)
            wait_for_lines(suite, consumer, 1)
            waiting = suite.start("consumer", "--name", suite.name("sysv:"), "--sync", sync)
            for process in [waiting, lonely]:
                check("waiting" in process.stderr.readline(), "it does not say that it waits")
            for process in [producer, consumer, waiting, lonely]:
                suite.ask_to_end(process, ending)
            for process in [producer, consumer, waiting, lonely]:
                suite.end(process, 0, 10)
            check(suite.is_there(name), "the stream was not ended, and yet the queue is gone")


def end_blocked(suite, program, *options):
    """Starts it with a reader that does not read, and ends it when it has filled the pipe."""
    process = subprocess.Popen(suite.command(program, *options),
                               stdout=subprocess.PIPE)
    suite.processes.append(process)
    waiting = array.array("i", [0])
    deadline = time.monotonic() + 60
    while waiting[0] < 60000:
        check(process.poll() is None and time.monotonic() < deadline, f"{program} fills no pipe")
        fcntl.ioctl(process.stdout, termios.FIONREAD, waiting)
        time.sleep(0.01)
    time.sleep(0.1)  # time for the rest of the pipe
    suite.ask_to_end(process, signal.SIGTERM)
    try:
        check(process.wait(10) == 0, f"{program} ended with {process.returncode}")
    except subprocess.TimeoutExpired:
        raise Failure(f"{program} does not end while its output is blocked") from None
    process.stdout.close()


def blocked_output(suite):
    """With a reader that does not read, a signal still ends both cleanly."""
    name = suite.name(suite.durable)
    common = ["--name", name, "--interval", "0:0"]
    end_blocked(suite, "producer", *common, "--loss", "0", "--capacity", "20000")
    filler = suite.start("producer", *common, "--loss", "0", "--capacity", "20000",
                         "--count", "20000")
    suite.end(filler)
    end_blocked(suite, "consumer", *common)
    suite.unlink(name)


def closed_output(suite):
    """Started without standard output: nothing is printed into shared memory instead."""
    for scheme in suite.schemes:
        name = suite.name(scheme)
        broken = subprocess.run(["sh", "-c", 'exec "$@" >&- <&-', "sh",
                                 *suite.command("producer", "--name", name, "--count", "3",
                                                "--interval", "0:0", "--loss", "0")],
                                stderr=subprocess.PIPE, text=True, check=False)
        check(broken.returncode == 1 and "standard output" in broken.stderr, broken.stderr)
        suite.unlink(name)


def restart_beside_the_last_consumer(suite):
    """A new pair starts while the old consumer pauses after the last product of a stream that has ended."""
    name = suite.name(suite.durable)
    common = ["--name", name, "--sync", "semaphore"]
    old = suite.start("producer", *common, "--count", "3", "--interval", "0:0", "--seed", "1",
                      "--loss", "0")
    passed = check_producer(suite.end(old), expected_products(1, 3, 0))
    old = suite.start("consumer", *common, "--interval", "0.3:0.3")
    wait_for_lines(suite, old, 3)
    time.sleep(0.05)  # it has most likely released the last one, and pauses; both cases must work
    producer = suite.start("producer", *common, "--count", "100", "--interval", "0.004:0.008",
                           "--seed", "2")
    while producer.poll() is None and not suite.lines_so_far(producer):
        time.sleep(0.001)
    if suite.lines_so_far(producer):
        new = suite.start("consumer", *common, "--interval", "0:0")
        check_consumer(suite.end(new), check_producer(suite.end(producer), expected_products(2, 100)))
    else:
        suite.end(producer, 1)  # it started before the release: the stream is not drained yet
    check_consumer(suite.end(old), passed)


def two_at_once(suite):
    name = suite.name("file:" if suite.windows else "sysv:")
    producer = suite.start("producer", "--name", name)
    wait_for_lines(suite, producer, 1)
    # Under Wine a process has its own number.
    suite.refused("producer", "--name", name, code=1,
                  word="has a live producer" if suite.windows else str(producer.pid))
    suite.refused("producer", "--name", name, "--capacity", "7", word="is 5, but 7 was requested", code=1)
    consumer = suite.start("consumer", "--name", name)
    wait_for_lines(suite, consumer, 1)
    suite.refused("consumer", "--name", name, code=1,
                  word="has a live consumer" if suite.windows else str(consumer.pid))
    for process in [producer, consumer]:
        suite.ask_to_end(process, signal.SIGKILL if suite.windows else signal.SIGTERM)
        suite.end(process, -signal.SIGKILL if suite.windows else 0)
    suite.unlink(name)


def bad_values(suite):
    for program in ["producer", "consumer"]:
        for option, value in [("--count", "0"), ("--count", "-1"), ("--count", "x"),
                              ("--count", "99999999999999999999"), ("--interval", "1"),
                              ("--interval", "2:1"), ("--interval", "a:b"), ("--interval", "1:"),
                              ("--interval", "-1:1"), ("--interval", "nan:nan"),
                              ("--interval", "0:inf"), ("--seed", "x"), ("--sync", "mutex"),
                              ("--count", "")]:
            suite.refused(program, option, value, word=f"{option} '{value}'", code=2)
        suite.refused(program, "--nonsense", word="--nonsense", code=2)
        suite.refused(program, "--name", word="name", code=2)
        suite.refused(program, "words", word="words", code=2)
        for name, word in [("", "empty"), ("a/b", "a/b"), ("wrong:a", "wrong"), ("x" * 300, "300"),
                           ("file:/etc/passwd", "/etc/passwd"), (suite.foreign + "a", suite.foreign)]:
            suite.refused(program, "--name", name, "--count", "1", word=word, code=1)
        done = suite.start(program, "--help")
        text = "\n".join(suite.end(done))
        check("usage: " + program in text and "--interval" in text, f"{program} --help: {text}")
    for option, value in [("--capacity", "0"), ("--capacity", "1.5"), ("--loss", "1.01"),
                          ("--loss", "-0.1"), ("--loss", "x")]:
        suite.refused("producer", option, value, word=f"{option} '{value}'", code=2)
    suite.refused("producer", "--name", "qt-none", "--capacity", "18446744073709551615",
                  word="18446744073709551615", code=1)
    suite.refused("consumer", "--capacity", "5", word="--capacity", code=2)


def full_output(suite):
    """Standard output that cannot be written: an error; the product stays queued for the next consumer."""
    name = suite.name(suite.durable)
    producer = suite.start("producer", "--name", name, "--count", "3", "--interval", "0:0",
                           "--loss", "0", "--seed", "2")
    passed = check_producer(suite.end(producer), expected_products(2, 3, 0))
    with open("/dev/full", "w") as full:
        broken = subprocess.run(suite.command("consumer", "--name", name),
                                stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    check(broken.returncode == 1 and "standard output" in broken.stderr, broken.stderr)
    check_consumer(suite.end(suite.start("consumer", "--name", name, "--interval", "0:0")), passed)


def short_programs(suite):
    """The README's sender and receiver."""
    suite.names.append("readings")
    right = [f"sensor {n}: 20.0 degrees" for n in range(10)]
    receiver = suite.start("example_receiver")
    time.sleep(0.2)  # it most likely creates the queue; both cases must work
    check(suite.end(suite.start("example_sender")) == [], "the sender prints")
    lines = suite.end(receiver)
    check(lines == right, str(lines))
    if not suite.windows:  # on systems where a queue would end with the sender
        check(suite.end(suite.start("example_sender")) == [], "the sender prints")
        lines = suite.end(suite.start("example_receiver"))
        check(lines == right, str(lines))
        check(suite.end(suite.start("example_sender")) == [], "the sender prints")
        lines = suite.end(suite.start("example_poll"))
        check(lines == right, str(lines))
        statuses(suite, right)
        newest_value(suite)


def newest_value(suite):
    """The newest value stays for each display, also after the sensor has ended, until the next sensor writes one."""
    suite.names.append("temperature")
    suite.end(suite.start("example_display"), code=1)  # there is no queue yet
    for number in (10, 20):
        check(suite.end(suite.start("example_sensor")) == [], "the sensor prints")
        for _ in range(2):
            lines = suite.end(suite.start("example_display"))
            check(lines == [f"value {number}: 20.9 degrees"], str(lines))
    suite.unlink("temperature")


def statuses(suite, right):
    """The programs do not report the end of a stream as a full queue, and Ctrl-C ends them cleanly."""
    suite.end(suite.start("example_sender"))
    again = suite.start("example_sender")
    check(suite.end(again, code=1) == [], "a second sender prints")
    check("has ended" in again.errors and "no room" not in again.errors, f"after the end: {again.errors}")
    has_cpp = os.path.exists(suite.command("example_cpp_sender")[-1])
    if has_cpp:
        again = suite.start("example_cpp_sender")
        suite.end(again, code=1)
        check("ended" in again.errors, f"after the end, in C++: {again.errors}")
    check(suite.end(suite.start("example_receiver")) == right, "the first sender's readings are not there")
    if suite.emulator:
        return  # it catches each signal from its start, so nothing shows when the program itself does
    for receiver in ["example_poll"] + (["example_cpp_receiver"] if has_cpp else []):
        process = suite.start(receiver)
        suite.await_handler(process, signal.SIGINT)
        suite.ask_to_end(process, signal.SIGINT)
        lines = suite.end(process)
        check(lines == [] and process.errors in ("", "running; Ctrl-C ends it\n"),
              f"{receiver}: Ctrl-C is no clean end: {lines} {process.errors}")
        check(suite.end(suite.start("example_sender")) == [], "the sender prints")
        lines = suite.end(suite.start(receiver))
        check([line.replace("20.0", "20") for line in lines] == [line.replace("20.0", "20") for line in right],
              f"{receiver} after a Ctrl-C: {lines}")


def shared_memory(suite):
    """Runs of the example with a lock: no visit is lost, and a run that is killed does not block another. Their names
    are fixed, so this part runs only when named."""
    names = ["visits", "visits-lock"]
    suite.names += names
    for name in names:
        suite.is_there(name)  # the remains of an earlier failure
    if suite.windows:  # on systems where both end with the last handle
        check(suite.end(suite.start("example_visits")) == ["1000 visits"], "a run alone does not count to 1000")
        return
    runs = [suite.start("example_visits") for _ in range(4)]
    ends = sorted(int(line.split()[0]) for run in runs for line in suite.end(run))
    check(len(ends) == 4 and ends[-1] == 4000, f"four runs count to {ends}")
    killed = suite.start("example_visits")
    killed.kill()
    killed.communicate()
    killed.output.close()
    lines = suite.end(suite.start("example_visits"))
    check(len(lines) == 1 and 5000 <= int(lines[0].split()[0]) <= 6000, f"after a kill: {lines}")
    for name in names:
        suite.unlink(name)


# On Windows, console events replace signals: console_windows_test.c.
POSIX_PARTS = [signals, blocked_output, closed_output]
PARTS = [demonstration, same_seed_slow_consumer, no_consumer_then_one, losses, counts,
         consumer_killed, producer_killed, signals, blocked_output, closed_output,
         restart_beside_the_last_consumer, two_at_once, bad_values, full_output,
         short_programs, example_programs, shared_memory]
NAMED = [short_programs, example_programs, shared_memory]  # their queues have fixed names, so they run only when named


def main():
    suite = Suite(sys.argv[1])
    unknown = set(sys.argv[2:]) - {part.__name__ for part in PARTS}
    check(not unknown, f"there is no part {unknown}")
    for part in PARTS:
        if part.__name__ not in sys.argv[2:] and (sys.argv[2:] or part in NAMED):
            continue
        if suite.windows and part in POSIX_PARTS:
            continue
        print(part.__name__, flush=True)
        try:
            part(suite)
        except Failure:
            suite.give_up()
            raise
    for entry in os.scandir(suite.work):
        check(entry.name.startswith(("producer-", "consumer-", "example_")), f"{entry.name} was left behind")
        os.unlink(entry.path)
    os.rmdir(suite.work)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"product_test.py: {failure}")
