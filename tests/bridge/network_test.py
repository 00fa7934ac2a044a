# SPDX-License-Identifier: MIT
"""quoit-bridge between network namespaces, one for each machine: the example of docs/SCALING.md, and cut links. Needs root."""
import os
import shutil
import subprocess
import sys
import time

import nats
from suite import check_ledger, run_parts, until

FULL = os.environ.get("QUOIT_TEST_EFFORT") == "full"
FRAMES = 20000 if FULL else 2000


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


class Machine:
    """A process that keeps a network namespace. The namespace ends with it."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        until(lambda: os.readlink(f"/proc/{self.process.pid}/ns/net") != own, "no network namespace")
        self.under = ("nsenter", "-t", str(self.process.pid), "--net")
        self.ip("link", "set", "lo", "up")

    def ip(self, *words):
        run(*self.under, "ip", *words)

    def end(self):
        self.process.kill()
        self.process.wait()


class Network:
    """A hub at 10.99.0.1, and machines at 10.99.0.11, .12 and so on, each with a link to the hub."""

    def __init__(self, count):
        self.hub, self.machines = Machine(), []
        self.hub.ip("link", "add", "switch", "type", "bridge")
        self.hub.ip("addr", "add", "10.99.0.1/24", "dev", "switch")
        self.hub.ip("link", "set", "switch", "up")
        for number in range(count):
            machine = Machine()
            self.machines.append(machine)
            port = f"port{number}"
            self.hub.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(machine.process.pid))
            self.hub.ip("link", "set", port, "master", "switch", "up")
            machine.ip("addr", "add", f"10.99.0.{11 + number}/24", "dev", "eth0")
            machine.ip("link", "set", "eth0", "up")

    def cut(self, number):
        self.hub.ip("link", "set", f"port{number}", "down")

    def join(self, number):
        self.hub.ip("link", "set", f"port{number}", "up")

    def end(self):
        for machine in (self.hub, *self.machines):
            machine.end()


class Hub:
    """The server in the hub's namespace. The test cannot connect to it, so it looks at queues and metrics."""

    def __init__(self, box, network):
        self.server = nats.Server(box.work, host="10.99.0.1", port=4222)
        box.servers.append(self.server)
        self.server.start(wait=False, under=network.hub.under)
        self.url = self.server.url


def four_cameras(box):
    """Four machines with a camera each; an archive of all; two consumers of the first camera. One link is cut, one bridge
    is killed, and the server is restarted."""
    network = Network(4)
    try:
        hub = Hub(box, network)
        cameras = [box.queue(messages=True) for _ in range(4)]
        outs = [box.out(cameras[i], hub, f"CAMERA{i}", "--create-stream", under=network.machines[i].under) for i in range(4)]
        for out in outs:
            out.says("was created")
        routes = [(f"CAMERA{i}", "archive") for i in range(4)] + [("CAMERA0", "viewer"), ("CAMERA0", "detector")]
        targets, numbers = [box.queue(messages=True, user_bytes=64) for _ in routes], [[] for _ in routes]
        consumers = [box.consume(target, FRAMES, True, found) for target, found in zip(targets, numbers)]
        with open(f"{box.work}/hub.ini", "w", encoding="utf-8") as file:
            file.write(f"[server]\nurl = {hub.url}\n")
            for target, (stream, durable) in zip(targets, routes):
                file.write(f"[in {target}]\nstream = {stream}\nsubject = {stream.lower()}\ndurable = {durable}\n")
        box.bridge("run", f"{box.work}/hub.ini", under=network.hub.under)
        producers = [box.produce(camera, FRAMES, True) for camera in cameras]
        until(lambda: len(numbers[1]) > FRAMES // 4, "nothing arrives")
        network.cut(1)
        outs[2].kill()
        outs[2].start()
        until(lambda: len(numbers[0]) > FRAMES // 2, "a cut link stops another camera")
        network.join(1)
        hub.server.kill()
        hub.server.start(wait=False, under=network.hub.under)
        for thread in (*producers, *consumers):
            thread.finish()
        for found, (stream, durable) in zip(numbers, routes):
            check_ledger(found, FRAMES, f"{durable} of {stream}")
    finally:
        network.end()


def cut_links(box):
    """Machine A to machine B over a server on the hub, while the links of both are cut and joined."""
    network = Network(2)
    try:
        hub, count = Hub(box, network), FRAMES * 2
        source, target, numbers = box.queue(), box.queue(user_bytes=64), []
        out = box.out(source, hub, "S", "--create-stream", under=network.machines[0].under)
        out.says("was created")
        box.into(target, hub, "S", under=network.machines[1].under)
        consumer, producer = box.consume(target, count, False, numbers), box.produce(source, count)
        for cut in range(20 if FULL else 3):
            until(lambda cut=cut: len(numbers) > count * cut // 40, "nothing arrives")
            link = box.random.randrange(2)
            network.cut(link)
            time.sleep(box.random.random() * 3)
            network.join(link)
        producer.finish()
        consumer.finish()
        check_ledger(numbers, count, "machine B")
    finally:
        network.end()


def require_namespaces():
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("nsenter"):
        print("skipped: network namespaces need root, ip (Debian: iproute2) and nsenter (util-linux)")
        sys.exit(nats.SKIPPED)
    try:
        Network(1).end()
    except subprocess.CalledProcessError as error:
        print(f"skipped: this system does not let root make network namespaces: {error.stderr.decode().strip()}")
        sys.exit(nats.SKIPPED)


if __name__ == "__main__":
    require_namespaces()
    run_parts([four_cameras, cut_links])
