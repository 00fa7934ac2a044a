# SPDX-License-Identifier: MIT
"""quoit-bridge: files of routes, ways to log in, TLS, streams that it creates, metrics, and wrong command lines."""
import base64
import json
import os
import subprocess
import time

import suite
from nats import Client
from suite import check, check_ledger, run_parts, stored, until


def openssl(*arguments, **more):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, **more).stdout


def certificates(box):
    """A CA, and a certificate of 127.0.0.1 and one of a client."""
    work = box.work
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test CA",
            "-keyout", f"{work}/ca.key", "-out", f"{work}/ca.pem", "-days", "2")
    for name, address in (("server", "IP:127.0.0.1"), ("client", "IP:127.0.0.1"), ("elsewhere", "DNS:elsewhere.example")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{work}/{name}.key", "-out", f"{work}/{name}.csr")
        with open(f"{work}/{name}.ext", "w", encoding="utf-8") as file:
            file.write(f"subjectAltName={address}\n")
        openssl("x509", "-req", "-in", f"{work}/{name}.csr", "-CA", f"{work}/ca.pem", "-CAkey", f"{work}/ca.key",
                "-CAcreateserial", "-out", f"{work}/{name}.pem", "-days", "2", "-extfile", f"{work}/{name}.ext")


def run_many_with_tls(box):
    """Two routes of one file carry a queue over a stream into another queue; the servers want a client's certificate."""
    certificates(box)
    tls = (f'tls {{ cert_file: "{box.work}/server.pem", key_file: "{box.work}/server.key", ca_file: "{box.work}/ca.pem", '
           f'verify: true }}\nauthorization {{ user: "ann", password: "secret" }}')
    server = box.server(more=tls)
    source, target, numbers = box.queue(messages=True), box.name(), []
    with open(f"{box.work}/password", "w", encoding="utf-8") as file:
        file.write("secret\n")
    with open(f"{box.work}/bridge.ini", "w", encoding="utf-8") as file:
        file.write(f"""; a comment
[server]
url = tls://127.0.0.1:1
url = {server.url}
user = ann
password-file = {box.work}/password
ca = {box.work}/ca.pem
cert = {box.work}/client.pem
key = {box.work}/client.key
[out {source}]
stream = S
subject = s
create-stream = yes
[in {target}]
stream = S
subject = s
capacity = 100
item-bytes = 128
messages = yes
create-stream = yes
""")
    bridge = box.bridge("run", f"{box.work}/bridge.ini")
    until(lambda: bridge.text().count("connected") == 0 and bridge.metric("connected"), "the bridge did not connect")
    box.produce(source, 2000, True).finish()
    until(lambda: suite.exists(target), "the bridge did not create the queue")
    box.consume(target, 2000, True, numbers).finish()
    check_ledger(numbers, 2000, "the queue")
    bridge.stop()
    for wrong in (("--user", "ann"), ("--ca", f"{box.work}/client.pem", "--user", "ann")):
        box.out(source, server, "S", *wrong).process.wait(60)
        check(box.bridges[-1].process.returncode == 1, "a connection without a certificate was accepted")
        box.bridges[-1].says("refuses the connection")
    for wrong in (("--ca", f"{box.work}/missing.pem"), ("--cert", f"{box.work}/missing.pem", "--key", f"{box.work}/client.key")):
        box.out(source, server, "S", *wrong).fails("cannot be used", "missing.pem")
        check("tries again" not in box.bridges[-1].text(), "the bridge connects without an option that it was given")
    other = box.server("elsewhere", more=tls.replace("/server.", "/elsewhere."))
    ca = ("--ca", f"{box.work}/ca.pem", "--cert", f"{box.work}/client.pem", "--key", f"{box.work}/client.key")
    box.out(source, other, "S", "--user", "ann", "--password-file", f"{box.work}/password", *ca).fails("refuses the connection")


def routes_are_independent(box):
    """A route whose server does not answer does not stop the other routes of the process."""
    server, silent, name, other = box.server(), box.server("silent"), box.queue(), box.queue()
    with open(f"{box.work}/bridge.ini", "w", encoding="utf-8") as file:
        file.write(f"[out {name}]\nurl = {server.url}\nstream = S\nsubject = s\ncreate-stream = yes\n"
                   f"[out {other}]\nurl = {silent.url}\nstream = T\nsubject = t\ncreate-stream = yes\n")
    bridge = box.bridge("run", f"{box.work}/bridge.ini")
    bridge.says("stream 'S': was created", "stream 'T': was created")
    box.produce(other, 1).finish()
    until(lambda: Client(silent).last_sequence("T") == 1, "the route does not carry")
    os.kill(silent.process.pid, suite.SIGSTOP)
    box.produce(other, 100, begin=1).finish()
    bridge.says("no acknowledgement")
    box.produce(name, 3000).finish()
    client = Client(server)
    until(lambda: client.last_sequence("S") == 3000, "the other route has stopped")
    os.kill(silent.process.pid, suite.SIGCONT)
    until(lambda: Client(silent).last_sequence("T") == 101, "the silent server's messages did not arrive")
    check_ledger(stored(silent, "T"), 101, "the stream")
    bridge.stop()


def crc16(data):
    value = 0
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (0x1021 if value & 0x8000 else 0)) & 0xFFFF
    return value.to_bytes(2, "little")


def encode_key(data):
    return base64.b32encode(data + crc16(data)).decode().rstrip("=")


class KeyPair:
    """A pair of keys, made by openssl, in the encoding of NATS. The kind is user, account or operator."""
    PREFIXES = {"user": 20 << 3, "account": 0, "operator": 14 << 3}

    def __init__(self, box, kind):
        box.made += 1
        self.kind, self.file, prefix = kind, f"{box.work}/key-{box.made}.pem", self.PREFIXES[kind]
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.file)
        seed = openssl("pkey", "-in", self.file, "-outform", "DER")[-32:]
        public = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")[-32:]
        seed_prefix = 18 << 3
        self.seed = encode_key(bytes([seed_prefix | prefix >> 5, (prefix & 31) << 3]) + seed)
        self.public = encode_key(bytes([prefix]) + public)

    def certify(self, box, other, name, **claims):
        """A JWT about the other pair, signed by this one."""
        def encode(data):
            return base64.urlsafe_b64encode(data).decode().rstrip("=")
        claims = {"jti": f"{name}-{box.made}", "iat": int(time.time()), "iss": self.public, "name": name, "sub": other.public,
                  "nats": {"type": other.kind, "version": 2, **claims}}
        text = ".".join(encode(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, claims))
        with open(f"{box.work}/unsigned", "w", encoding="utf-8") as file:
            file.write(text)
        return f"{text}.{encode(openssl('pkeyutl', '-sign', '-rawin', '-inkey', self.file, '-in', f'{box.work}/unsigned'))}"


def nkey(box):
    pair = KeyPair(box, "user")
    with open(f"{box.work}/seed", "w", encoding="utf-8") as file:
        file.write(pair.seed)
    server, name = box.server(more=f'authorization {{ users: [ {{ nkey: "{pair.public}" }} ] }}'), box.queue()
    bridge = box.out(name, server, "S", "--create-stream", "--nkey", pair.public, "--nkey-seed", f"{box.work}/seed")
    box.produce(name, 100).finish()
    until(lambda: bridge.metric("messages_total") == 100, lambda: f"not all messages arrived: {bridge.text()}")
    bridge.stop()


def write_credentials(path, token, pair):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
                   f"-----BEGIN USER NKEY SEED-----\n{pair.seed}\n------END USER NKEY SEED------\n")


def credentials(box):
    """Files as nsc writes them, for a server in operator mode: a user of an account that an operator has certified."""
    operator, system, account, user, stranger = (
        KeyPair(box, kind) for kind in ("operator", "account", "account", "user", "user"))
    limits = dict.fromkeys(("subs", "conn", "leaf", "imports", "exports", "data", "payload"), -1)
    stores = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    accounts = {system.public: operator.certify(box, system, "system", limits=limits),
                account.public: operator.certify(box, account, "team", limits={**limits, **stores})}
    preloaded = "\n".join(f"{public}: {token}" for public, token in accounts.items())
    server = box.server(more=f"operator: {operator.certify(box, operator, 'operator')}\nsystem_account: {system.public}\n"
                             f"resolver: MEMORY\nresolver_preload: {{\n{preloaded}\n}}")
    of_user = {"subs": -1, "data": -1, "payload": -1}
    write_credentials(f"{box.work}/user.creds", account.certify(box, user, "camera1", **of_user), user)
    write_credentials(f"{box.work}/stranger.creds", stranger.certify(box, user, "camera1", **of_user), user)
    source, target, numbers = box.queue(), box.queue(user_bytes=64), []
    out = box.out(source, server, "S", "--create-stream", "--creds", f"{box.work}/user.creds")
    out.says("was created")
    into = box.into(target, server, "S", "--creds", f"{box.work}/user.creds")
    consumer, producer = box.consume(target, 2000, False, numbers), box.produce(source, 2000)
    until(lambda: len(numbers) > 500, "nothing arrives")
    server.kill()  # the bridges log in again
    server.start()
    producer.finish()
    consumer.finish()
    check_ledger(numbers, 2000, "the queue")
    out.stop()
    into.stop()
    box.out(source, server, "S", "--creds", f"{box.work}/stranger.creds").fails("refuses the connection", "credentials")
    box.out(source, server, "S", "--creds", f"{box.work}/missing.creds").fails("missing.creds")
    box.out(source, server, "S", "--creds", server.config).fails("refuses the connection")


def token(box):
    with open(f"{box.work}/token", "w", encoding="utf-8") as file:
        file.write("sesame")
    server, name = box.server(more='authorization { token: "sesame" }'), box.queue()
    bridge = box.out(name, server, "S", "--create-stream", "--token-file", f"{box.work}/token")
    until(lambda: bridge.metric("connected"), lambda: f"the bridge did not connect: {bridge.text()}")
    bridge.stop()


def permissions(box):
    """The permissions in docs/SCALING.md are enough for a bridge that publishes."""
    user = ('authorization { users: [ { user: "ann", password: "secret" }, { user: "camera1", password: "p", permissions: { '
            'publish: [ "s", "$JS.API.STREAM.INFO.S", "$JS.API.STREAM.MSG.GET.S" ], subscribe: [ "_INBOX.>" ] } } ] }')
    server, name = box.server(more=user), box.queue()
    with open(f"{box.work}/password", "w", encoding="utf-8") as file:
        file.write("p\n")
    Client(server, "ann", "secret").create_stream("S")
    bridge = box.out(name, server, "S", "--user", "camera1", "--password-file", f"{box.work}/password")
    box.produce(name, 1000).finish()
    until(lambda: bridge.metric("messages_total") == 1000, lambda: f"not all messages arrived: {bridge.text()}")
    bridge.kill()
    box.produce(name, 1000, begin=1000).finish()
    bridge.start()
    until(lambda: Client(server, "ann", "secret").last_sequence("S") == 2000, "not all messages arrived")
    check_ledger(stored(server, "S", user="ann", password="secret"), 2000, "the stream")
    bridge.stop()


def creates_streams(box):
    server, name = box.server(), box.queue()
    bridge = box.out(name, server, "S", "--create-stream", "--storage", "memory", "--max-messages", "500", "--max-bytes=1000000",
                     "--max-age", "60", "--discard", "old", "--retention", "interest")
    until(lambda: bridge.metric("connected"), "the bridge did not connect")
    config = Client(server).stream("S")["config"]
    expected = {"storage": "memory", "max_msgs": 500, "max_bytes": 1000000, "max_age": 60 * 10**9, "discard": "old",
                "retention": "interest", "subjects": ["s"], "num_replicas": 1}
    check(expected.items() <= config.items(), f"another stream was created: {config}")
    bridge.stop()
    box.out(box.queue(), server, "T", "--create-stream", "--replicas", "3").fails("stream 'T'", "replicas")


def work_queue(box):
    """A stream that removes acknowledged messages: the bridge goes on, since the server knows the newest ids."""
    server, name, count = box.server(), box.queue(), 6000
    other, numbers = box.queue(user_bytes=64), []
    out = box.out(name, server, "S", "--create-stream", "--retention", "workqueue")
    out.says("was created")
    into = box.into(other, server, "S")
    consumer, producer = box.consume(other, count, False, numbers), box.produce(name, count)
    for mark in (1000, 2000, 3000, 4000):
        until(lambda mark=mark: len(numbers) > mark, "nothing arrives")
        for bridge in (out, into):
            bridge.kill()
            bridge.start()
    producer.finish()
    consumer.finish()
    check_ledger(numbers, count, "the queue")


def shared_options(box):
    """Options in [server] that are no texts reach each route, and a route can have another value."""
    server = box.server()
    names = [box.queue(), box.queue()]
    with open(f"{box.work}/shared.ini", "w", encoding="utf-8") as file:
        file.write(f"""[server]
url = {server.url}
create-stream = yes
storage = memory
max-messages = 7
[out {names[0]}]
stream = S
subject = s
[out {names[1]}]
stream = T
subject = t
storage = file
max-messages = 9
""")
    bridge = box.bridge("run", f"{box.work}/shared.ini")
    client = Client(server)
    for stream, expected in (("S", ("memory", 7)), ("T", ("file", 9))):
        until(lambda stream=stream: "config" in client.stream(stream), f"stream '{stream}' was not created")
        config = client.stream(stream)["config"]
        check((config["storage"], config["max_msgs"]) == expected, f"{stream} has {config}")
    bridge.stop()


def stream_named_as_a_key(box):
    """The server's answers contain the stream's name, which can be the name of one of their keys."""
    server = box.server()
    for stream in ("seq", "duplicate", "err_code"):
        name = box.queue()
        bridge = box.out(name, server, stream, "--create-stream", "--durable", stream)
        box.produce(name, 100).finish()
        until(lambda bridge=bridge: bridge.metric("messages_total") == 100, lambda bridge=bridge: f"not all: {bridge.text()}")
        check(bridge.metric("duplicates_total") == 0, "messages were taken for duplicates")
        bridge.stop()


def metrics(box):
    """Prometheus text, of all routes; `quoit stat` shows the bridge as a member."""
    server, name = box.server(), box.queue()
    bridge = box.out(name, server, "S", "--create-stream")
    box.produce(name, 300).finish()
    until(lambda: bridge.metric("messages_total") == 300, "the metrics do not count the messages")
    check(bridge.metric("in_flight") == 0 and bridge.metric("queued_items") == 0, "the metrics show other messages")
    quoit_tool = os.path.join(os.path.dirname(box.program), "..", "quoit")
    shown = subprocess.run([quoit_tool, "stat", name], capture_output=True, text=True, check=True).stdout
    check(f"{bridge.process.pid}" in shown and "quoit-bridge" in shown, f"quoit stat does not show the bridge: {shown}")
    server.kill()
    until(lambda: bridge.metric("connected") == 0, "the metrics do not show the lost connection")
    with open(bridge.metrics_file, encoding="utf-8") as file:
        text = file.read()
    for line in text.splitlines():
        check(line.startswith(("# HELP quoit_bridge_", "# TYPE quoit_bridge_", "quoit_bridge_")), f"no Prometheus line: {line}")
    server.start()
    until(lambda: bridge.metric("reconnects_total") >= 1, "the metrics do not count the reconnect")
    bridge.stop()


def wrong_use(box):
    def refused(*arguments, says, code=2):
        done = subprocess.run([box.program, *arguments], capture_output=True, text=True, timeout=60, check=False)
        check(done.returncode == code and says in done.stderr, f"{arguments}: {done.returncode}, {done.stderr}")

    def config(text, says):
        with open(f"{box.work}/wrong.ini", "w", encoding="utf-8") as file:
            file.write(text)
        refused("run", f"{box.work}/wrong.ini", says=says)
    url = "nats://127.0.0.1:1/S/s"
    refused(says="use quoit-bridge out")
    refused("out", "q", says="use quoit-bridge out")
    refused("out", "q", "localhost", says="must be nats://HOST:PORT/STREAM/SUBJECT")
    refused("out", "q", "nats://127.0.0.1:1/S/", says="must be nats://")
    refused("out", "q", "nats://127.0.0.1:1/S.T/s", says="stream 'S.T'")
    refused("out", "q", "nats://127.0.0.1:1/S/s.*", says="subject 's.*'")
    refused("out", "q", url, "--nonsense", "1", says="unknown option 'nonsense'")
    refused("out", "q", url, "--window", says="has no value")
    refused("out", "q", url, "--window", "many", says="window is 'many'")
    refused("out", "q", url, "--retention", "ever", says="retention is 'ever'")
    refused("out", "q", url, "--storage", "tape", says="storage is 'tape'; it must be file or memory")
    refused("out", "q", url, "--nkey", "U", says="nkey needs nkey-seed")
    refused("out", "q", url, "--password-file", "/nonexistent", says="cannot read a line")
    refused("out", "q", url, "more", says="one word too many")
    refused("run", f"{box.work}/missing.ini", says="cannot read the file")
    config("[server]\nurl = nats://h:1\n", "has no section [out QUEUE]")
    config("[between q]\n", "has no section")
    config("[between q]\nstream = S\n", "must be [server], [out QUEUE] or [in QUEUE]")
    config("[out q]\nurl = nats://h:1\nstream = S\n", "has no subject")
    config("[out q]\ncolour = red\n", "unknown option 'colour'")
    config("stream\n", "line 1")
    route = f"stream = S\nsubject = s\nurl = {url}\n"
    config(f"[out {'q' * 60}]\n{route}", "more than 48 characters")
    config(f"[out q]\n{route}# {'x' * 250}\n", "line 5: has more than 198 characters")
    config(f"[out q]\n{route}[out r]\n{route.replace('S', 'R')}[out q]\n{route}", "two routes have the queue 'q'")
    config(f"[in q]\n{route}[in r]\n{route}queue = q\n", "two routes have the queue 'q'")
    config(f"[out q]\n{route}[out r]\n{route}", "two routes publish to the stream 'S'")
    config(f"[in q]\n{route}durable = d\n[in r]\n{route}durable = d\n", "two routes have the consumer 'd'")
    done = subprocess.run([box.program, "--version"], capture_output=True, text=True, check=True).stdout
    check(done.startswith("quoit-bridge "), done)


if __name__ == "__main__":
    run_parts([run_many_with_tls, routes_are_independent, nkey, credentials, token, permissions, creates_streams,
               shared_options, stream_named_as_a_key, work_queue, metrics, wrong_use])
