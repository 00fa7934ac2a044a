#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""monitoring_test.py QUOIT: the alerts and the dashboard of docs/operations, with a real Prometheus and node_exporter.

node_exporter's textfile collector reads the metrics of real queues, one of them full, with a consumer that was killed.
Each rule must be accepted, each alert for these queues must be pending or fire, and each query of the dashboard must
return samples, with the labels that its legend names, for all queues and for two chosen ones. Exit code 77: Prometheus or
node_exporter is not installed.

Grafana itself is not in Debian. So these facts of its JSON model are checked without it: ids, places of panels, references
to variables and data sources, and that `quoit` prints each metric that the dashboard, the alerts and the page name.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPERATIONS = ROOT / "docs" / "operations"
PROGRAMS = ("prometheus", "promtool", "prometheus-node-exporter")
FULL, POOL = f"qt-{os.getpid()}-full", f"qt-{os.getpid()}-crashed"
EXPECTED = {"QuoitQueueNearlyFull": FULL, "QuoitMemberCrashed": POOL, "QuoitQueueStalled": FULL}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(condition, sentence):
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"monitoring_test.py: {sentence}")
        time.sleep(0.2)


class Prometheus:
    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}"

    def get(self, path, **query):
        try:
            with urllib.request.urlopen(f"{self.base}{path}?{urllib.parse.urlencode(query)}", timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError):
                sys.exit(f"monitoring_test.py: {query}: {error.read().decode()}")
            return None

    def samples(self, expression):
        answer = self.get("/api/v1/query", query=expression)
        return answer["result"] if answer else []


def start_servers(folder, textfiles, started):
    exporter, port = free_port(), free_port()
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(OPERATIONS / "alerts.yml")],
        "scrape_configs": [{"job_name": "node", "static_configs": [{"targets": [f"127.0.0.1:{exporter}"]}]}]}))
    subprocess.run(["promtool", "check", "config", str(config)], check=True, stdout=subprocess.DEVNULL)
    for command in (["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                     f"--collector.textfile.directory={textfiles}", f"--web.listen-address=127.0.0.1:{exporter}"],
                    ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                     f"--web.listen-address=127.0.0.1:{port}"]):
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    return Prometheus(port)


def write_metrics(quoit, textfiles):
    """As quoit-metrics.service does: complete, and then with its name."""
    unit = (OPERATIONS / "systemd/quoit-metrics.service").read_text()
    command = re.search(r"^ExecStart=/bin/sh -c '(.*)'$", unit, flags=re.M).group(1)
    command = command.replace("--all", f"{FULL} {POOL}")  # only this test's objects
    subprocess.run(["sh", "-c", command], cwd=textfiles, check=True,
                   env={**os.environ, "PATH": f"{quoit.parent}:{os.environ['PATH']}"})


def faults_of_model(dashboard):
    """Yields the faults in the dashboard's JSON model that Grafana would show only when it is loaded."""
    variables = {each["name"] for each in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps([dashboard["panels"], dashboard["templating"]]))) - {"__all", "__rate_interval"}
    yield from (f"the variable ${name} is not defined" for name in sorted(used - variables))
    panels, taken = dashboard["panels"], {}
    if not (isinstance(dashboard["schemaVersion"], int) and dashboard["title"] and len(dashboard["uid"]) <= 40):
        yield "schemaVersion, title or uid is wrong"
    if len({panel["id"] for panel in panels}) != len(panels):
        yield "two panels have one id"
    for panel in panels:
        title, at, targets = panel["title"], panel["gridPos"], panel["targets"]
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            if cell[0] >= 24 or taken.setdefault(cell, title) != title:
                yield f"the panel '{title}' is outside of the 24 columns, or covers another one"
                break
        if panel["type"] not in ("stat", "timeseries") or panel["datasource"]["uid"] != "${datasource}":
            yield f"the panel '{title}' has another type or data source"
        if not targets or len({target["refId"] for target in targets}) != len(targets):
            yield f"the panel '{title}' has no queries, or two with one refId"


def metrics_of_page(text):
    """The metrics of the page's table; `_wakes_total` behind `quoit_queue_sleeps_total` is quoit_queue_wakes_total."""
    for cell in re.findall(r"^\| (`quoit_.*?) \|", text, flags=re.M):
        first, *others = re.findall(r"`(\w+)", cell)
        yield first
        yield from (other if other.startswith("quoit_") else "_".join(first.split("_")[:2]) + other for other in others)


def check_facts():
    """Checks what needs no Prometheus."""
    dashboard = json.loads((OPERATIONS / "grafana.json").read_text())
    source = (ROOT / "tools/object_prometheus.c").read_text()
    named = set(metrics_of_page((OPERATIONS / "monitoring.md").read_text()))
    for name in ("grafana.json", "alerts.yml"):
        named |= set(re.findall(r"\bquoit_(?:object|member|queue|pool|region|lock)\w+", (OPERATIONS / name).read_text()))
    faults = list(faults_of_model(dashboard)) + [f"quoit prints no metric {name}" for name in sorted(named - {"quoit_pool_reclaim"})
                                                 if f'"{name}"' not in source]
    if faults or len(named) < 20:
        sys.exit("\n".join(f"monitoring_test.py: {fault}" for fault in faults or ["fewer than 20 metrics were found"]))
    return dashboard


def check_dashboard(prometheus, dashboard):
    count = 0
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            for chosen in (".*", f"({FULL}|{POOL})"):  # as Grafana writes "All", and two values
                expression = target["expr"].replace("$name", chosen)
                until(lambda: prometheus.samples(expression), f"'{panel['title']}' has no samples: {expression}")  # pylint: disable=W0640
                for label in re.findall(r"{{(\w+)}}", target.get("legendFormat", "")):
                    if any(label not in sample["metric"] for sample in prometheus.samples(expression)):
                        sys.exit(f"monitoring_test.py: '{panel['title']}': its legend names '{label}', which a sample has not")
            count += 1
    query = next(each["query"] for each in dashboard["templating"]["list"] if each["name"] == "name")
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", query).groups()
    if not {FULL, POOL} <= set(prometheus.get(f"/api/v1/label/{label}/values", **{"match[]": metric})):
        sys.exit(f"monitoring_test.py: the variable 'name' does not list the queues: {query}")
    return count


def run(quoit, folder, started, dashboard):
    textfiles = folder / "textfiles"
    textfiles.mkdir()
    lines = "".join(f"{n}\n" for n in range(10))
    for name in (FULL, POOL):
        subprocess.run([quoit, "push", "--keep", "--kind", "mpmc", "--capacity", "10", "--item-bytes", "100", name], input=lines,
                       text=True, check=True)
    consumer = subprocess.Popen([quoit, "pop", POOL], stdout=subprocess.PIPE)
    for _ in range(10):
        consumer.stdout.readline()
    consumer.send_signal(signal.SIGKILL)
    consumer.wait()
    consumer.stdout.close()
    write_metrics(quoit, textfiles)
    prometheus = start_servers(folder, textfiles, started)
    until(lambda: prometheus.samples(f'quoit_queue_size_items{{name="{FULL}"}}'), "Prometheus gets no metrics")
    value = prometheus.samples(f'quoit_queue_size_items{{name="{FULL}"}}')[0]["value"][1]
    if value != "10":
        sys.exit(f"monitoring_test.py: the size is {value}, not 10")
    for alert, name in EXPECTED.items():
        def active():
            return any(each["labels"]["alertname"] == alert and each["labels"].get("name") == name  # pylint: disable=W0640
                       for each in (prometheus.get("/api/v1/alerts") or {"alerts": []})["alerts"])
        until(active, f"the alert {alert} is not active for {name}")
    rules = prometheus.get("/api/v1/rules")["groups"][0]["rules"]
    wrong = [rule["name"] for rule in rules if rule["health"] != "ok"]
    if wrong:
        sys.exit(f"monitoring_test.py: these rules cannot be evaluated: {wrong}")
    queries = check_dashboard(prometheus, dashboard)
    print(f"monitoring_test.py: {len(rules)} rules, {len(EXPECTED)} active alerts, {queries} queries")


def main():
    dashboard = check_facts()
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        print(f"monitoring_test.py: skipped: {', '.join(missing)} is not installed (Debian: prometheus, prometheus-node-exporter)")
        sys.exit(77)
    quoit, started = pathlib.Path(sys.argv[1]).resolve(), []
    try:
        with tempfile.TemporaryDirectory() as folder:
            try:
                run(quoit, pathlib.Path(folder), started, dashboard)
            finally:
                for process in started:
                    process.terminate()
                    process.wait()
    finally:
        subprocess.run([quoit, "rm", "--force", FULL, POOL], check=False)


if __name__ == "__main__":
    main()
