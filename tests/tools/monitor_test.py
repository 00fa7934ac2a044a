#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""monitor_test.py QUOIT [screen]: runs quoit ls, stat, top, check and rm as a user does.

Uses real processes that hold queues open, and are killed, and another user's queues with hostile names. With `screen`
it also runs the full screen of top, in a pseudo terminal. Uses only names of its own, since other programs use the
machine as well.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import termios
import time

sys.dont_write_bytecode = True
from screen import Screen  # noqa: E402
from other_user import objects_of_other_user  # noqa: E402
from suite import Suite, check  # noqa: E402

PYTHON = os.environ.get("QUOIT_PYTHON", "")


def ls(suite):
    """Each scheme's queue is listed, sorted, with its numbers."""
    names = [suite.queue(suite.name(scheme), "--kind", kind, "--capacity", "10", "--item-bytes", "32", lines=4)
             for scheme, kind in [("posix:", "spsc"), ("sysv:", "mpmc"), ("file:", "mpmc")]]
    for name, where in zip(names, ["posix", "sysv", f"file:{suite.work}"]):
        listed = {entry["name"]: entry for entry in json.loads(suite.run("ls", "--json", where).stdout)}
        own = [key for key in listed if f"qt-{os.getpid()}-" in key]
        check(own == sorted(own), f"not sorted: {own}")
        # The name of a System V queue is known only from its key, unless the object contains it.
        found = [entry for key, entry in listed.items() if key == name or where == "sysv"]
        check(any(entry["size"] == 4 and entry["capacity"] == 10 and entry["state"] == "idle"
                  for entry in found), f"{name} is not in {listed}")
        if where != "sysv":
            check(name in suite.run("ls", "--names", where).stdout.splitlines(), f"{name} has no line")
            row = next(line for line in suite.run("ls", where).stdout.splitlines() if name in line)
            room = "400B" if where == "posix" else "10"  # of the longest, in an SPSC queue of messages
            check(row.split()[2:5] == ["32", room, "4"] and row.endswith("idle"), row)
    check("\x1b" not in suite.run("ls").stdout, "colours where there is no terminal")


def crashed_and_repaired(suite):
    """A killed member is marked, check reports it, and --repair clears it."""
    for kind in ["mpmc", "spsc"]:
        name = suite.queue(suite.name(), "--kind", kind, lines=3)
        producer = suite.hold("push", name, "producer", "--keep")
        check(suite.object(name)["state"] == "in use", "a live member is not seen")
        member = suite.object(name)["members"][0]
        check(member["alive"] and member["process"] == "quoit", member)
        check(json.loads(suite.run("check", "--json", name).stdout)[0]["crashed_members"] == 0, "dead?")
        suite.run("rm", "--dead", name)
        check(suite.object(name)["size"] == 3, "rm --dead took one that is alive")
        suite.kill(producer)
        found = suite.object(name)
        check(found["state"] == "dead" and not found["members"][0]["alive"], found)
        check("dead" in suite.run("stat", name).stdout, "stat does not say it")
        check("1 crashed member" in suite.run("check", name).stdout, "check does not say it")
        repaired = json.loads(suite.run("check", "--repair", "--json", name).stdout)[0]
        check(repaired["ok"] and repaired["cleared_members"] == 1, repaired)
        found = suite.object(name)
        check(found["members"] == [] and found["state"] == "idle" and found["size"] == 3, found)


def repair_unseen(suite):
    """A consumer that waits for its first peer continues to wait while repairs run, also if they find nothing."""
    for kind in ["mpmc", "spsc", "broadcast"]:
        name = suite.queue(suite.name(), "--kind", kind)
        waiting = suite.hold("pop", name, "consumer")
        for _ in range(3):
            suite.run("check", "--repair", name)
        if kind != "spsc":  # another consumer, which is not a peer of this one, leaves something to repair
            suite.kill(suite.hold("pop", name, "consumer"))
            finding = json.loads(suite.run("check", "--repair", "--json", name).stdout)[0]
            check(finding["cleared_members"] == 1, finding)
        time.sleep(0.3)
        check(waiting.poll() is None, f"{kind}: a repair ended a wait: {waiting.returncode}")
        suite.kill(waiting)


# Waits for an item, and ends with an exception if its peer joins and leaves. (`quoit pop` waits for the next producer.)
WAITER = """
import sys
import quoit
queue = quoit.Queue.open(sys.argv[1], quoit.CONSUMER)
print("ready", flush=True)
queue.pop()
"""


def repair_is_no_peer(suite):
    """A member that waits for its first peer does not take a repair for one."""
    if "QUOIT_PYTHON" not in os.environ:
        print("  left out: the Python package is not built")
        return
    for kind in ["mpmc", "spsc"]:
        name = suite.queue(suite.name(), "--kind", kind)
        waiting = subprocess.Popen([sys.executable, "-c", WAITER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": PYTHON})
        suite.processes.append(waiting)
        check(waiting.stdout.readline() == b"ready\n", "the consumer did not start")
        suite.until(lambda: suite.object(name)["sleeps"] > 0, "the consumer does not wait")  # pylint: disable=cell-var-from-loop
        for round_number in range(3):
            if kind == "mpmc":  # another consumer, which is not a peer of this one, leaves something to repair
                suite.kill(suite.hold("pop", name, "consumer"))
            suite.run("check", "--repair", name)
            time.sleep(0.3)
            check(waiting.poll() is None, f"{kind}, repair {round_number}: it ended the wait: "
                  f"{waiting.stderr.read() if waiting.poll() is not None else ''}")
        suite.kill(waiting)
        waiting.stderr.close()


# Owns three of eight blocks, has sent two more through a queue, and is then killed.
OWNER = """
import sys
import quoit
pool = quoit.Pool.create(sys.argv[1], block_bytes=64, blocks=8)
queue = quoit.Queue.create(sys.argv[2], quoit.PRODUCER, item_bytes=8, capacity=4)
for _ in range(2):
    pool.push(queue, pool.alloc())
held = [pool.alloc() for _ in range(3)]
print("ready", flush=True)
sys.stdin.read()
"""


def pool_repaired(suite):
    """The blocks that a killed member of a pool owned are freed; those that it had sent only if no process can get
    them."""
    if "QUOIT_PYTHON" not in os.environ:
        print("  left out: the Python package is not built")
        return
    name, queue = suite.name(), suite.name()
    owner = subprocess.Popen([sys.executable, "-c", OWNER, name, queue], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": PYTHON})
    suite.processes.append(owner)
    check(owner.stdout.readline() == b"ready\n", "the owner did not start")
    check(suite.object(name)["size"] == 5, suite.object(name))
    check(json.loads(suite.run("check", "--repair", "--json", name).stdout)[0]["freed_blocks"] == 0, "not its own")
    suite.kill(owner)
    finding = json.loads(suite.run("check", "--repair", "--json", name).stdout)[0]
    check(finding["ok"] and finding["freed_blocks"] == 3 and "--through" in finding["note"], finding)
    finding = json.loads(suite.run("check", "--repair", "--json", "--through", queue, name).stdout)[0]
    check(finding["ok"] and finding["freed_blocks"] == 0, f"blocks that the queue still has: {finding}")
    check(suite.object(name)["size"] == 2 and suite.object(queue)["size"] == 2, suite.object(name))
    # Loses the handles, as a killed reader does.
    subprocess.run([suite.quoit, "pop", "--raw", "--no-wait", queue], check=True, stdout=subprocess.DEVNULL)
    finding = json.loads(suite.run("check", "--repair", "--json", "--through", queue, name).stdout)[0]
    check(finding["ok"] and suite.object(name)["size"] == 0, f"{finding}, {suite.object(name)}")


# Holds a lock, and a region with data, until it is killed.
HOLDER = """
import sys
import quoit
region = quoit.Region.create(sys.argv[2], data_bytes=100)
lock = quoit.Lock.create(sys.argv[1])
lock.acquire()
print("ready", flush=True)
sys.stdin.read()
"""


def locks(suite):
    """A lock is listed with its holder, as dead after the holder was killed, and removed."""
    if "QUOIT_PYTHON" not in os.environ:
        print("  left out: the Python package is not built")
        return
    name, region = suite.name(), suite.name()
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, name, region], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": PYTHON})
    suite.processes.append(holder)
    check(holder.stdout.readline() == b"ready\n", "the holder did not start")
    found = suite.object(name)
    check((found["kind"], found["state"], found["holder"], found["abandoned"]) == ("lock", "in use", holder.pid, False), found)
    check([(member["pid"], member["holds_up"]) for member in found["members"]] == [(holder.pid, True)], found)
    check(f"holder           {holder.pid}" in suite.run("stat", name).stdout, suite.run("stat", name).stdout)
    check(" lock " in suite.run("ls", name).stdout, suite.run("ls", name).stdout)
    check("quoit_lock_held" in suite.run("stat", "--format", "prometheus", name).stdout, "no metric")
    check("data             100" in suite.run("stat", region).stdout, suite.run("stat", region).stdout)
    suite.kill(holder)
    found = suite.object(name)
    check((found["state"], found["holder"], found["abandoned"]) == ("dead", None, True), found)
    check("crashed" in suite.run("stat", name).stdout, suite.run("stat", name).stdout)
    suite.run("rm", "--dead", name)
    suite.run("rm", region)


def held_roles(suite):
    """If live processes hold all roles, a repair does not fail."""
    name = suite.queue(suite.name(), "--kind", "spsc")
    dead = suite.hold("push", name, "producer", "--keep")
    suite.kill(dead)
    suite.hold("push", name, "producer", "--keep")
    suite.hold("pop", name, "consumer")
    check("ok" in suite.run("check", "--repair", name).stdout, "a busy queue is not ok")


def stat(suite):
    """The counters, the formats, and an object that is gone."""
    name = suite.queue(suite.name(), "--kind", "mpmc", "--capacity", "8", lines=8)
    suite.run("push", "--keep", "--timeout", "0.05", name, text="x\n", code=3)
    found = suite.object(name)
    check(found["pushed"] == 8 and found["popped"] == 0 and found["fill"] == 1, found)
    check(found["full"] >= 1 and found["high_water"] == 8, found)
    suite.run("pop", "--count", "3", name)
    check(suite.object(name)["popped"] == 3, "popped is not counted")
    both = json.loads(suite.run("stat", "--json", name, name + "-none", code=1).stdout)
    check([entry["name"] for entry in both] == [name], both)
    check(name + "-none" in suite.run("stat", name + "-none", code=1).stderr, "the name is not in the error")
    check(name in suite.run("stat", "--all").stdout, "--all leaves it out")


def unlinked(suite):
    """A name that was removed while in use: stat reports that, and the processes that still use the object."""
    for scheme in ["posix:", "file:"]:
        name = suite.queue(suite.name(scheme))
        user = suite.hold("pop", name, "consumer")
        suite.run("rm", name)
        if os.path.exists("/proc/self/maps"):
            said = suite.run("stat", name, code=1).stderr
            check(name in said and f"PID {user.pid};" in said, said)
        suite.kill(user)
        said = suite.run("stat", name, code=1).stderr
        check(name in said and "PID" not in said, said)


def prometheus(suite):
    """Every line has the exposition format, and promtool accepts it, if installed."""
    names = [suite.queue(suite.name(), "--kind", kind, lines=2) for kind in ["spsc", "mpmc", "broadcast"]]
    names.append(suite.queue(suite.name("posix:") + '-a"b\\c', "--kind", "mpmc", lines=1))
    suite.names.append(names[-1])
    text = suite.run("stat", "--format", "prometheus", *names).stdout
    kinds, seen, last = {}, set(), None
    sample = re.compile(r'([a-z_]+)(\{([a-z]+="(\\[\\"n]|[^"\\\n])*",?)+\})? (-?[0-9.e+-]+)$')
    for line in text.splitlines():
        if line.startswith("#"):
            word, metric, rest = line[2:].split(" ", 2)
            check(word in ("HELP", "TYPE") and rest, line)
            check(word != "HELP" or metric not in seen, f"{metric} does not stand together")
            seen.add(metric)
            if word == "TYPE":
                kinds[metric] = rest
            last = metric
            continue
        match = sample.match(line)
        check(match and match.group(1) == last, f"not a sample of {last}: {line!r}")
        check((kinds[last] == "counter") == last.endswith("_total"), f"{last} is a {kinds[last]}")
        float(match.group(5))
    check(f'quoit_queue_size_items{{name="{names[1]}"}} 2' in text, text)
    check('-a\\"b\\\\c"' in text, "a name is not escaped")
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, check=False,
                              capture_output=True)
        check(done.returncode == 0, done.stdout + done.stderr)


def sizes(suite):
    """Sizes are in the user's unit: lines, messages, or bytes; never more than the capacity."""
    name = suite.name()
    suite.run("push", "--keep", name, text="one\ntwo\nthree\n")
    suite.run("pop", "--count", "1", name)
    found = suite.object(name)
    check((found["size"], found["pushed"], found["popped"], found["unit"]) == (2, 3, 1, "lines"), found)
    text = suite.run("stat", name).stdout
    check("2 lines, " in text and re.search(r"pushed +3 lines\n +popped +1 line", text), text)
    suite.run("push", "--keep", name, text="four\nfive")
    suite.run("pop", "--count", "3", name)
    found = suite.object(name)
    check((found["size"], found["pushed"], found["popped"]) == (1, 5, 4), found)
    many = suite.queue(suite.name(), "--capacity", "200", lines=112)
    found = suite.object(many)
    check((found["size"], found["pushed"], found["popped"], found["unit"]) == (112, 112, 0, "messages"), found)
    check(0 < found["size_bytes"] < found["capacity_bytes"] and found["fill"] < 1, found)
    suite.run("pop", "--count", "12", many)
    found = suite.object(many)
    check((found["size"], found["pushed"], found["popped"]) == (100, 112, 12), found)
    full = suite.name()
    suite.run("push", "--keep", "--each", "--item-bytes", "8", "--capacity", "4", "--timeout", "0", full, code=3,
              text="12345678\n" * 9)
    check(suite.object(full)["fill"] == 1 and "(100%)" in suite.run("stat", full).stdout, suite.object(full))
    text = suite.run("stat", "--format", "prometheus", name, many, full).stdout
    values = dict(re.findall(r'^quoit_queue_(\w+\{name="[^"]*)"\} (\S+)$', text, re.MULTILINE))
    for queue in [name, many, full]:
        def value(metric):
            return float(values[f'{metric}{{name="{queue}'])
        check(f'capacity_items{{name="{queue}' not in values, f"{queue} has a capacity that its size goes beyond")
        check(0 < value("size_bytes") <= value("capacity_bytes") and value("fill_ratio") <= 1, f"{queue}: {values}")
        check(value("pushed_items_total") - value("popped_items_total") == value("size_items"), f"{queue}: {values}")


def stopped(suite):
    """A member that a signal has stopped is shown as stopped."""
    if not os.path.exists("/proc/self/stat"):
        print("  skipped: the system does not report it")
        return
    name = suite.queue(suite.name(), "--kind", "mpmc")
    user = suite.hold("pop", name, "consumer")
    check(not suite.object(name)["members"][0]["stopped"], "a running one is shown as stopped")
    user.send_signal(signal.SIGSTOP)
    suite.until(lambda: suite.object(name)["members"][0]["stopped"], "a stopped member is not shown as that")
    check(", stopped" in suite.run("stat", name).stdout, "stat does not show it")
    check("in use, 1 stopped" in suite.run("ls", name).stdout, suite.run("ls", name).stdout)
    user.send_signal(signal.SIGCONT)
    suite.kill(user)
    name = suite.queue(suite.name(), "--kind", "broadcast", "--capacity", "4")
    user = suite.hold("pop", name, "consumer")
    user.send_signal(signal.SIGSTOP)
    suite.run("push", "--keep", "--timeout", "0", name, text="x\n" * 9, code=3)
    check(re.search(r"holds up, stopped", suite.run("stat", name).stdout), suite.run("stat", name).stdout)
    text = suite.run("top", "--plain", "--count", "1", "--interval", "0.02", name).stdout
    check(text.splitlines()[1].endswith(" stop"), text)
    suite.kill(user)


def listed_by_name(suite):
    """ls accepts a name, and the beginning of names, of each scheme."""
    names = sorted([suite.queue(suite.name(), "--kind", "mpmc"), suite.queue(suite.name("sysv:"), "--kind", "mpmc")])
    file = suite.queue(suite.name("file:"))
    text = names[0].split(":")[1]
    for where, right in [(names[0], names[:1]), (text, names[:1]), (f"qt-{os.getpid()}-", names),
                         (f"posix:qt-{os.getpid()}-", names[:1]), (file, [file])]:
        got = suite.run("ls", "--names", where).stdout.splitlines()
        got = [name for name in got if name in names + [file]]  # parts before this one left some
        check(got == right, f"ls {where}: {got}, not {right}")
    check("qt-no-such" in suite.run("ls", "qt-no-such", code=1).stderr, "which name?")


def missing_objects(suite):
    """A missing directory is reported as missing. Without /dev/shm the other schemes are listed."""
    for command in [("push",), ("pop",), ("tail", "--follow"), ("stat",), ("check",), ("rm",)]:
        said = suite.run(*command, "file:/no/such/q", code=1, text="").stderr
        check("the directory '/no/such' does not exist" in said, f"{command}: {said}")
    name = suite.queue(suite.name("file:"))
    user = suite.hold("pop", name, "consumer")
    hidden = subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs none /dev && exec '{suite.quoit}' ls --names"],
                            text=True, stdin=subprocess.DEVNULL, capture_output=True, check=False) \
        if shutil.which("unshare") and os.getuid() == 0 else None
    if hidden and "mount" not in hidden.stderr and "unshare" not in hidden.stderr:
        check(hidden.returncode == 0 and name in hidden.stdout.splitlines(), f"without /dev/shm: {hidden}")
    else:
        print("  left out: this user cannot hide /dev/shm")
    suite.kill(user)


def damaged(suite):
    """A queue with a damaged header is listed, has its own exit code, and can be removed."""
    name = suite.queue(suite.name("file:"), "--kind", "mpmc", lines=1)
    with open(name[len("file:"):], "r+b") as file:
        file.seek(16)
        file.write(b"\xa5" * 24)
    found = suite.object(name)
    check(found["state"] == "damaged" and found["damage"], found)
    check("damaged" in suite.run("ls", f"file:{suite.work}").stdout, "ls does not mark it")
    check("damaged" in suite.run("check", name, code=4).stdout, "check does not say it")
    suite.run("check", "--repair", name, code=4)
    suite.run("rm", name)
    suite.run("stat", name, code=1)


def rm(suite):
    """rm removes names, reports those that do not exist, and with --dead removes only objects of crashed programs."""
    one, idle, dead = (suite.queue(suite.name(), "--kind", "mpmc") for _ in range(3))
    suite.kill(suite.hold("push", dead, "producer", "--keep"))
    suite.run("rm", one, "no-such-" + one.split(":")[1], code=1)
    suite.run("stat", one, code=1)
    suite.run("rm", "--force", one)
    check(suite.run("rm", "--dead", "--dry-run", idle, dead).stdout.splitlines() == [dead], "not the abandoned one")
    check(suite.object(dead)["state"] == "dead", "--dry-run removed it")
    check(suite.run("rm", "--dead", idle, dead).stdout.splitlines() == [dead], "not the abandoned one")
    suite.run("stat", dead, code=1)
    suite.run("rm", idle)


def bad_input(suite):
    """The message names the fault; no object is created."""
    for arguments, word in [(["stat"], "NAME"), (["stat", "--all", "x"], "'x'"), (["check"], "NAME"),
                            (["stat", "--format", "xml", "x"], "'xml'"), (["rm"], "NAME"),
                            (["top", "--interval", "0"], "'0'"), (["top", "--sort", "age"], "'age'"),
                            (["top", "--count", "0"], "--count"), (["ls", "--bogus"], "'--bogus'"),
                            (["ls", "--json", "--names"], "--names"), (["check", "--through", "x", "y"], "--repair"),
                            (["top", "--interval"], "'--interval'"), (["rm", "-x", "y"], "'-x'")]:
        check(word in suite.run(*arguments, code=2).stderr, f"{arguments}: the error does not name {word}")
    for arguments, word in [(["ls", "nowhere"], "nowhere"), (["ls", "file:/no/such"], "/no/such"),
                            (["check", "qt-no-such"], "qt-no-such"), (["stat", "a/b"], "a/b")]:
        check(word in suite.run(*arguments, code=1).stderr, f"{arguments}: the error does not name {word}")
    for command in ["ls", "stat", "top", "check", "rm"]:
        text = suite.run(command, "--help").stdout
        check(text.startswith(f"usage: quoit {command} ") and "Examples:" in text, f"{command} --help")
    with open("/dev/full", "w") as full:
        done = subprocess.run([suite.quoit, "ls"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    check(done.returncode == 1 and "stdout" in done.stderr, done.stderr)


def top_plain(suite):
    """A table for each update; rates of a queue in use; objects that appear and disappear meanwhile."""
    name, later = suite.queue(suite.name(), "--kind", "mpmc", "--capacity", "1000"), suite.name()
    top = subprocess.Popen([suite.quoit, "top", "--json", "--interval", "0.1", name, later],
                           stdout=subprocess.PIPE, text=True)
    suite.processes.append(top)
    looks = iter(lambda: json.loads(top.stdout.readline()), None)
    check([row["name"] for row in next(looks)] == [name], "another queue is shown")
    suite.queue(later, "--kind", "mpmc")
    suite.queue(name, lines=50)
    rows = next(rows for rows in looks if len(rows) == 2)
    moved = 50 in [row["size"] for row in rows]
    while not moved:
        moved = 50 in [row["size"] for row in next(looks)]
    suite.run("rm", later)
    check(next(rows for rows in looks if len(rows) == 1), "it stays when it is gone")
    suite.queue(name, lines=100)
    check(any(row["pushed_per_s"] > 0 for _ in range(100) for row in next(looks))
          or suite.object(name)["size"] == 150, "no rates")
    top.send_signal(signal.SIGTERM)
    check(top.wait(timeout=300) == 0, "SIGTERM is no clean end")
    top.stdout.close()
    text = suite.run("top", "--plain", "--count", "2", "--interval", "0.05", name).stdout
    check(len(re.findall(r"^NAME ", text, re.M)) == 2 and text.count(name) == 2, text)


def top_screen(suite):
    """At two sizes, with a resize; keys; the terminal is restored after q, SIGINT and SIGTERM."""
    name = suite.queue(suite.name(), "--kind", "mpmc", "--capacity", "10", lines=10)
    for ending in ["q", signal.SIGINT, signal.SIGTERM]:
        screen = Screen(suite, 24, 80, "--interval", "0.2", name)
        screen.expect(r"\x1b\[\?1049h", "quoit top: 1 object, by name", r"10/10", "full", r"\x1b\[24(;1H|d)")
        check(not termios.tcgetattr(screen.slave)[3] & termios.ECHO, "keys are echoed")
        screen.resize(50, 200)
        screen.expect(r"\x1b\[50(;1H|d)", r"PUSHED LATELY", re.escape(name))
        screen.take()
        os.write(screen.master, b"f")
        screen.expect("fill")  # curses sends only the part that differs from "name": all of it
        if ending == "q":
            os.write(screen.master, b"q")
        else:
            screen.process.send_signal(ending)
        screen.end()
    dumb = subprocess.run(["script", "-qec", f"{suite.quoit} top -n 1 -i 0.1 {name}", "/dev/null"], text=True,
                          env={**os.environ, "TERM": "dumb"}, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          check=False) if shutil.which("script") else None
    check(dumb is None or "\x1b[" not in dumb.stdout, "a dumb terminal is sent escapes")


PARTS = [ls, crashed_and_repaired, repair_unseen, repair_is_no_peer, pool_repaired, locks, held_roles, stat, unlinked,
         prometheus, sizes, stopped, listed_by_name, missing_objects, damaged, rm, bad_input, top_plain]


def main():
    suite = Suite(sys.argv[1])
    try:
        with objects_of_other_user(sys.argv[1]):  # other programs use the machine as well
            for part in PARTS + ([top_screen] if sys.argv[2:] == ["screen"] else []):
                print(part.__name__, flush=True)
                part(suite)
    finally:
        suite.give_up()


if __name__ == "__main__":
    main()
