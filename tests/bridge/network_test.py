# SPDX-License-Identifier: MIT
"""quoit-bridge between network namespaces, one for each machine: the example of docs/SCALING.md, and cut links. Needs root."""
import os
import shutil
import subprocess
import sys
import time

import nats
import storm_test as storm
from suite import check_ledger, run_parts, stored, until

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
    """The server in the hub's namespace."""

    def __init__(self, box, network):
        self.server = nats.Server(box.work, host="10.99.0.1", port=4222, inside=network.hub.process.pid)
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


def storm_between_machines(box):
    """Two machines, from each to the other one at the same time, while bridges and the server are killed and links are cut."""
    network = Network(2)
    try:
        hub = Hub(box, network)
        hub.server.wait()
        one, other = (machine.under for machine in network.machines)
        flows = [storm.Flow(box, hub, "A", machines=(one, other)),
                 storm.Flow(box, hub, "B", messages=False, machines=(other, one))]

        def kill_server():
            hub.server.kill()
            time.sleep(box.random.random() * 0.3)
            hub.server.start(wait=False, under=network.hub.under)

        def cut():
            link = box.random.randrange(2)
            network.cut(link)
            time.sleep(box.random.random() * 3)
            network.join(link)
        storms = [storm.Storm(box, flows, storm.kills(100, 4), storm.kill_bridge(box, flows)),
                  storm.Storm(box, flows, storm.kills(50, 2), kill_server), storm.Storm(box, flows, storm.kills(20, 2), cut)]
        for part in storms:
            part.thread.finish(3000)
        for flow in flows:
            flow.finish(hub.server)
        storm.ledger("bridges, server and links of two machines", flows, storms)
    finally:
        network.end()


def partition(box):
    """Each server of a cluster is a machine of its own. The stream's leader is cut off while it is written to, so the two
    others elect another leader, and messages go on. Then the old one comes back."""
    network = Network(3)
    try:
        addresses = [f"10.99.0.{11 + number}" for number in range(3)]
        servers = [nats.Server(box.work, f"server{number}", host=address, port=4222, route_port=6222,
                               routes=[f"{other}:6222" for other in addresses], inside=machine.process.pid)
                   for number, (address, machine) in enumerate(zip(addresses, network.machines))]
        box.servers += servers
        for server, machine in zip(servers, network.machines):
            server.start(wait=False, under=machine.under)
        until(lambda: nats.has_leader(servers), "the cluster has no leader")
        everywhere, source, target, numbers = nats.Everywhere(servers), box.queue(), box.queue(user_bytes=64), []
        out = box.out(source, everywhere, "S", "--create-stream", "--replicas", "3", under=network.hub.under)
        out.says("was created")
        box.into(target, everywhere, "S", under=network.hub.under)
        times, before_cut, after_cut, in_flight = 10 if FULL else 2, FRAMES * 4, FRAMES, []
        count = times * (before_cut + after_cut)
        consumer = box.consume(target, count, False, numbers)
        for begin in range(0, count, before_cut + after_cut):
            until(lambda: nats.is_whole(servers, "S"), "the stream is not whole", 300)
            name = nats.cluster_of(servers, "S")["leader"]
            leader = next(number for number, server in enumerate(servers) if server.name == name)
            first = box.produce(source, before_cut, begin=begin)
            until(lambda begin=begin: len(numbers) > begin + before_cut // 4, "nothing arrives")
            network.cut(leader)
            in_flight.append(begin + before_cut - len(numbers))
            first.finish()
            box.produce(source, after_cut, begin=begin + before_cut).finish()
            until(lambda begin=begin: len(numbers) == begin + before_cut + after_cut, "the majority does not go on", 300)
            network.join(leader)
        consumer.finish()
        check_ledger(numbers, count, "the queue")
        until(lambda: nats.is_whole(servers, "S"), "the stream is not whole", 300)
        check_ledger(stored(servers[0], "S"), count, "the stream")
        print(f"\n  {count} messages, 0 missing, 0 twice, in order; the leader was cut off {times} times, "
              f"when so many messages of a run had not arrived: {in_flight}")
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
    run_parts([four_cameras, cut_links, storm_between_machines, partition])
