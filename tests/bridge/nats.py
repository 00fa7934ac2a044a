# SPDX-License-Identifier: MIT
"""A NATS server of the test's own, and a small client for it, which is independent of the bridge."""
import base64
import concurrent.futures
import contextlib
import ctypes
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

SKIPPED = 77
CLONE_NEWNET = 0x40000000
PROGRAM = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")


def require_server():
    if not PROGRAM:
        print("skipped: nats-server is not installed (Debian: apt install nats-server)")
        sys.exit(SKIPPED)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A nats-server on loopback, or in a network namespace. `more` is added to its configuration. `routes` are the HOST:PORT
    of a cluster's servers, and `inside` is a process of the namespace."""

    def __init__(self, work, name="server", more="", port=None, route_port=None, routes=(), host="127.0.0.1", inside=None):
        self.name, self.port, self.host, self.process, self.inside = name, port or free_port(), host, None, inside
        self.log = f"{work}/{name}.log"
        self.config = f"{work}/{name}.conf"
        cluster = ""
        if route_port:
            listed = ", ".join(f'"nats://{other}"' for other in routes)
            cluster = f'cluster {{ name: test, listen: "{host}:{route_port}", routes: [{listed}] }}\n'
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f'server_name: "{name}"\nlisten: "{host}:{self.port}"\nlog_file: "{self.log}"\n'
                       f'jetstream {{ store_dir: "{work}/{name}" }}\n{cluster}{more}\n')

    @property
    def url(self):
        return f"nats://{self.host}:{self.port}"

    def start(self, wait=True, under=()):
        self.process = subprocess.Popen([*under, PROGRAM, "-c", self.config])
        if wait:
            self.wait()
        return self

    def wait(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect(1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def connect(self, seconds):
        """A socket stays in the namespace in which it was made. setns moves one thread, so a thread of its own makes it."""
        def make():
            if self.inside:
                with open(f"/proc/{self.inside}/ns/net", "rb") as namespace:
                    assert ctypes.CDLL(None).setns(namespace.fileno(), CLONE_NEWNET) == 0, "setns failed"
            return socket.create_connection((self.host, self.port), seconds)
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            return thread.submit(make).result()

    def kill(self, how=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, how)
            self.process.wait()


class Relay:
    """Passes on what a server and its clients send. It closes the first connections after so many bytes of the server, as a
    server does that is killed then."""

    def __init__(self, server, cuts):
        self.server, self.cuts = server, cuts
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        for room in itertools.chain(self.cuts, itertools.repeat(1 << 60)):
            client = self.listener.accept()[0]
            server = self.server.connect(60)
            one = threading.Thread(target=self.pass_on, args=(client, server, 1 << 60), daemon=True)
            one.start()
            self.pass_on(server, client, room)
            one.join()

    @staticmethod
    def pass_on(source, target, room):
        with contextlib.suppress(OSError):
            while room and (data := source.recv(min(room, 65536))):
                target.sendall(data)
                room -= len(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Client:
    """Speaks the text protocol of NATS over a socket."""

    def __init__(self, server, user=None, password=None, seconds=60):
        self.socket = server.connect(seconds)
        self.file = self.socket.makefile("rb")
        self.info = json.loads(self.file.readline().split(b" ", 1)[1])
        self.numbers = itertools.count(1)
        options = {"verbose": False, "headers": True, "no_responders": True}
        if user:
            options.update(user=user, **{"pass": password})
        self.send(f"CONNECT {json.dumps(options)}\r\nPING\r\n")
        assert self.file.readline().startswith(b"PONG"), "the server refuses the test's client"

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode())

    def publish(self, subject, data, reply=""):
        self.socket.sendall(f"PUB {subject} {reply} {len(data)}\r\n".encode() + data + b"\r\n")

    def receive(self):
        """The next message: subject, reply, headers, data."""
        while True:
            line = self.file.readline()
            words = line.split()
            if not line.endswith(b"\n"):
                raise ConnectionError("the server closed the connection")
            if words[0] == b"PING":
                self.send("PONG\r\n")
            elif words[0] in (b"MSG", b"HMSG"):
                head = int(words[-2]) if words[0] == b"HMSG" else 0
                body = self.file.read(int(words[-1]) + 2)[:-2]
                reply = words[3].decode() if len(words) == (6 if head else 5) else ""
                headers = dict(entry.split(": ", 1) for entry in body[:head].decode().split("\r\n")[1:] if ": " in entry)
                headers[""] = body[:head].split(b"\r\n")[0].decode()
                return words[1].decode(), reply, headers, body[head:]

    def request(self, subject, payload=b""):
        """Returns the answer. Other messages that come before it are dropped."""
        number = next(self.numbers)
        inbox = f"_INBOX.{id(self)}.{number}"
        self.send(f"SUB {inbox} {number}\r\nUNSUB {number} 1\r\n")
        self.publish(subject, payload, inbox)
        while True:
            message = self.receive()
            if message[0] == inbox:
                return message

    def api(self, subject, /, **payload):
        return json.loads(self.request(f"$JS.API.{subject}", json.dumps(payload).encode())[3])

    def create_stream(self, name, **more):
        answer = self.api(f"STREAM.CREATE.{name}", **{"name": name, "subjects": [name.lower()], **more})
        assert "error" not in answer, answer

    def stream(self, name):
        return self.api(f"STREAM.INFO.{name}")

    def last_sequence(self, name):
        """0 if the stream does not exist (yet)."""
        return self.stream(name).get("state", {}).get("last_seq", 0)

    def read(self, stream):
        """All messages of the stream: a list of (sequence, headers, data). Requests some at a time: a server disconnects a
        client that is too slow for what was sent to it."""
        count, number, messages, due, at_once = self.stream(stream)["state"]["messages"], next(self.numbers), [], 0, 2000
        inbox = f"_READ.{id(self)}.{number}"
        self.send(f"SUB {inbox} {number}\r\n")
        answer = self.api(f"CONSUMER.CREATE.{stream}", stream_name=stream, config={"ack_policy": "none", "deliver_policy": "all"})
        assert "error" not in answer, answer
        while len(messages) < count:
            if due == 0:
                due = min(at_once, count - len(messages))
                self.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{answer['name']}", str(due).encode(), inbox)
            _, reply, headers, data = self.receive()
            assert reply, f"{stream}: {headers['']} instead of a message"
            messages.append((int(reply.split(".")[5]), headers, data))
            due -= 1
        self.send(f"UNSUB {number}\r\n")
        return messages

    def message(self, stream, sequence):
        answer = self.api(f"STREAM.MSG.GET.{stream}", seq=sequence)
        return base64.b64decode(answer["message"].get("data", ""))


class Everywhere:
    """The address of all servers of a cluster."""

    def __init__(self, servers):
        self.url = "nats://" + ",".join(f"{server.host}:{server.port}" for server in servers)


def cluster_of(servers, stream):
    """The stream's state in the cluster, as the first server that answers reports it; empty: none does."""
    for server in servers:
        try:
            client = Client(server, seconds=3)
            answer = client.stream(stream)
            client.close()
            return answer.get("cluster", {})
        except (OSError, ValueError, AssertionError):
            continue
    return {}


def is_whole(servers, stream):
    """Has the stream a leader, and are the two others current?"""
    cluster = cluster_of(servers, stream)
    replicas = cluster.get("replicas", [])
    return bool(cluster.get("leader")) and len(replicas) == 2 and all(replica["current"] for replica in replicas)


def has_leader(servers):
    try:
        client = Client(servers[0], seconds=3)
        answer = client.api("INFO")
        client.close()
        return "error" not in answer
    except (OSError, ValueError, AssertionError):
        return False
