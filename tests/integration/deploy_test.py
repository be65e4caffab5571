#!/usr/bin/env python3
"""What nodes/deploy and config/examples/cluster hold is sound: units, images, manifests, configurations.

Usage: deploy_test.py BUILD_FOLDER [unittest arguments]. Starts nothing but checkers and one node on loopback.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = TOP / "nodes/deploy"
BASE = DEPLOY / "kustomize/base"
EXAMPLE = DEPLOY / "kustomize/example"
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
TROUPE = BUILD / "nodes/troupe"
NODE = BUILD / "nodes/troupe-node"
NODES = {"state": "state-1", "gateway": "gateway-1", "runner": "runner-1"}


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120, **more)


def read_yaml(path):
    return list(yaml.safe_load_all(path.read_text()))


class Workshop(unittest.TestCase):
    """A folder of its own for each test."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-deploy-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def ok(self, *argv, **more):
        done = run(*argv, **more)
        self.assertEqual(done.returncode, 0, f"{argv}: {done.stdout}")
        return done.stdout

    def wait_for(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not come true within a minute")
            time.sleep(0.05)

    def make_cluster(self, folder):
        folder.mkdir(exist_ok=True)
        self.ok(TROUPE, "cluster", "init", "--dir", folder / "cluster")
        for name in NODES.values():
            self.ok(TROUPE, "cluster", "cert", name, "--dir", folder / "cluster")
        (folder / "token-secret").write_text("5f0c1a9be27d4836a1c7e98f02d4b6538e17f3a94c60d2b5f8e1097a3c5d6b42\n")
        (folder / "token-secret").chmod(0o600)


class Configurations(Workshop):
    def check(self, path, places):
        """Checks a configuration with its files at hand, and returns it as it was checked."""
        text = path.read_text()
        for there, here in places.items():
            text = text.replace(there, str(here))
        copy = self.folder / path.name
        copy.write_text(text)
        faults = json.loads(run(TROUPE, "config", "check", "--json", copy).stdout)
        self.assertEqual(faults, [], path)
        self.ok(NODE, "--config", copy, "--check")
        return copy

    def test_examples_pass(self):
        self.make_cluster(self.folder)
        for kind, name in NODES.items():
            path = TOP / f"config/examples/cluster/{kind}.yaml"
            self.check(path, {"/etc/troupe/": f"{self.folder}/cluster/{name}/"})
            self.assertEqual(read_yaml(path)[0]["node"]["name"], name)

    def test_configurations_of_containers_pass(self):
        self.make_cluster(self.folder)
        for kind, name in NODES.items():
            path = BASE / f"config/{kind}.yaml"
            self.check(path, {"/etc/troupe/tls": self.folder / "cluster" / name,
                              "/etc/troupe/token": self.folder})
            self.assertEqual(read_yaml(path)[0]["node"]["name"], name)

    def test_nodes_dial_the_one_that_lists_them(self):
        for folder in (TOP / "config/examples/cluster", BASE / "config"):
            all = {kind: read_yaml(folder / f"{kind}.yaml")[0] for kind in NODES}
            state = all["state"]
            port = state["cluster"]["listen"].rsplit(":", 1)[1]
            for kind in ("gateway", "runner"):
                (place,) = all[kind]["cluster"]["dial"]
                self.assertTrue(place.startswith(state["node"]["name"] + "@"), place)
                self.assertTrue(place.endswith(":" + port), place)
                allowed = state["cluster"]["peers"][all[kind]["node"]["name"]]["roles"]
                self.assertEqual(set(allowed), set(all[kind]["roles"]), folder)


class ThreeNodes(Workshop):
    """The configurations of the containers, on loopback: real nodes, real certificates."""

    def start(self, kind, places):
        text = (BASE / f"config/{kind}.yaml").read_text()
        places |= {"/etc/troupe/tls": f"{self.folder}/cluster/{NODES[kind]}", "/etc/troupe/token": str(self.folder),
                   "/var/lib/troupe": f"{self.folder}/{kind}", "0.0.0.0": "127.0.0.1", "port: 8000": "port: 0",
                   # No engine is started here, and no other one shall be found.
                   "/run/troupe-engine": f"{self.folder}/no-engine"}
        for there, here in places.items():
            text = text.replace(there, here)
        config = self.folder / f"{kind}.yaml"
        config.write_text(text)
        log = (self.folder / f"{kind}.log").open("w")
        self.addCleanup(log.close)
        node = subprocess.Popen([NODE, "--config", config], stdout=log, stderr=log)
        self.addCleanup(self.end, node)
        return node

    def end(self, node):
        if node.poll() is None:
            node.kill()
        node.wait()

    def address(self, kind, name):
        path = self.folder / kind / f"{name}.address"
        self.wait_for(path.exists)
        return path.read_text().strip()

    def status(self, kind, path):
        try:
            return urllib.request.urlopen(f"http://{self.address(kind, 'http')}{path}", timeout=10).status
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return 0

    def test_they_join_and_leave(self):
        self.make_cluster(self.folder)
        nodes = [self.start("state", {"7411": "0"})]
        place = self.address("state", "cluster")
        nodes += [self.start(kind, {"troupe-state:7411": place}) for kind in ("gateway", "runner")]
        for kind in NODES:
            self.wait_for(lambda: self.status(kind, "/healthz/live") == 200)
        for kind in ("state", "gateway"):
            self.wait_for(lambda: self.status(kind, "/healthz/ready") == 200)
        token = self.folder / "token"
        token.write_text(self.ok(TROUPE, "token", "--secret-file", self.folder / "token-secret", "--role", "read"))

        def runners():
            return run(TROUPE, "--server", "http://" + self.address("gateway", "http"), "--token-file", token,
                       "runners", "--json").stdout
        self.wait_for(lambda: "runner-1-docker" in runners())
        for node in reversed(nodes):
            node.terminate()
        for kind, node in zip(NODES, nodes):
            self.assertEqual(node.wait(60), 0, (self.folder / f"{kind}.log").read_text())


    def give(self, kind, authorities, identity):
        """Puts certificates in a node's place: who is trusted, and who it is."""
        place = self.folder / "cluster" / NODES[kind]
        (place / "ca.pem").write_text("".join((a / "ca.pem").read_text() for a in authorities))
        for file in ("node.key", "node.pem"):
            shutil.copy(identity / NODES[kind] / file, place / file)

    def test_an_authority_is_replaced_as_the_handbook_says(self):
        self.make_cluster(self.folder)
        old = shutil.copytree(self.folder / "cluster", self.folder / "old")
        self.make_cluster(self.folder / "second")
        new = self.folder / "second/cluster"
        state = self.start("state", {"7411": "0"})
        place = {"troupe-state:7411": self.address("state", "cluster")}
        gateway = self.start("gateway", dict(place))
        self.wait_for(lambda: self.status("gateway", "/healthz/ready") == 200)
        nodes = {"state": state, "gateway": gateway}
        for authorities, identity in (([old, new], {}), ([old, new], {"state"}), ([old, new], {"state", "gateway"}),
                                      ([new], {"state", "gateway"})):
            for kind, node in nodes.items():
                self.give(kind, authorities, new if kind in identity else old)
                node.send_signal(signal.SIGHUP)
            # A new process must find its way in at every step.
            gateway.terminate()
            self.assertEqual(gateway.wait(60), 0)
            (self.folder / "gateway/http.address").unlink()
            gateway = nodes["gateway"] = self.start("gateway", dict(place))
            self.wait_for(lambda: self.status("gateway", "/healthz/ready") == 200)
        gateway.terminate()
        gateway.wait(60)
        # And the old one is worth nothing any more.
        self.give("gateway", [old, new], old)
        self.start("gateway", dict(place))
        self.wait_for(lambda: "foreign_authority" in (self.folder / "state.log").read_text())


class Units(Workshop):
    SERVICES = {"troupe-node.service": 2.0, "troupe-runner.service": 2.0}

    def copy_units(self):
        for unit in (DEPLOY / "systemd").iterdir():
            text = unit.read_text().replace("/usr/bin/troupe-node", str(NODE))
            # The engine is another package's.
            (self.folder / unit.name).write_text(text.replace("/usr/bin/podman", "/bin/true"))
        return sorted(self.folder.glob("*.service")) + sorted(self.folder.glob("*.socket"))

    def test_systemd_accepts_them(self):
        units = self.copy_units()
        self.assertEqual(len(units), 4)
        self.assertEqual(self.ok("systemd-analyze", "verify", "--man=no", *units), "")

    def test_a_wrong_line_would_be_seen(self):
        self.copy_units()
        unit = self.folder / "troupe-node.service"
        unit.write_text(unit.read_text().replace("ProtectHome=yes", "ProtectHouse=yes"))
        self.assertIn("ProtectHouse", run("systemd-analyze", "verify", "--man=no", unit).stdout)

    def test_exposure_is_low(self):
        for name, most in self.SERVICES.items():
            text = self.ok("systemd-analyze", "security", "--offline=true", "--no-pager", DEPLOY / "systemd" / name)
            level = float(re.search(r"exposure level for \S+: ([0-9.]+)", text).group(1))
            self.assertLessEqual(level, most, text)

    def test_who_is_left_out_of_that_is_named(self):
        units = {unit.name for unit in (DEPLOY / "systemd").glob("*.service")}
        left_out = units - set(self.SERVICES)
        text = (DEPLOY.parent.parent / "docs/deployment.md").read_text().split("### What the units allow")[1]
        for name in left_out:
            self.assertRegex(text.split("\n## ")[0], rf"`{name}` [0-9.]+")

    def test_none_is_left_failed_for_having_failed_often(self):
        for unit in (DEPLOY / "systemd").glob("*.service"):
            lines = unit.read_text().splitlines()
            self.assertIn("Restart=on-failure", lines)
            self.assertIn("StartLimitIntervalSec=0", lines)
            self.assertIn("RestartSec=2s", lines)

    def test_the_runner_has_no_more_than_its_engine(self):
        lines = {name: set((DEPLOY / "systemd" / name).read_text().split("[Service]")[1].splitlines())
                 for name in self.SERVICES}
        more = {line for line in lines["troupe-runner.service"] - lines["troupe-node.service"]
                if not line.startswith("#")}
        self.assertEqual(more, {"SupplementaryGroups=troupe-engine", "PrivateUsers=no", "TimeoutStopSec=5min"})

    def test_accounts_and_folders(self):
        root = self.folder / "root"
        (root / "etc").mkdir(parents=True)
        self.ok("systemd-sysusers", f"--root={root}", DEPLOY / "systemd/sysusers.conf")
        self.assertIn("troupe:", (root / "etc/passwd").read_text())
        groups = (root / "etc/group").read_text()
        for name in self.SERVICES:
            unit = (DEPLOY / "systemd" / name).read_text()
            for group in re.findall(r"^(?:Supplementary)?Groups?=(\S+)$", unit, re.M):
                self.assertIn(group + ":", groups)
        self.ok("systemd-tmpfiles", "--create", f"--root={root}", DEPLOY / "systemd/tmpfiles.conf")
        self.assertEqual((root / "etc/troupe").stat().st_mode & 0o777, 0o750)
        self.assertEqual((root / "var/lib/troupe").stat().st_mode & 0o777, 0o700)

    def test_a_node_needs_no_system_call_that_the_filter_denies(self):
        config = self.folder / "node.yaml"
        # Small, so that it starts fast; the reserve of the disk is not the subject here.
        config.write_text(f"node: {{data: {self.folder}/data, drain_limit: 5s}}\n"
                          "roles:\n"
                          "  journal: {disk: {reserve_percent: 0, reserve_bytes: 0B, ballast_bytes: 0B}}\n"
                          "  jobs:\n  artifacts:\n"
                          "  tests: {runners: {fake: }}\n"
                          "  http: {port: 0}\n")
        trace = self.folder / "trace"
        node = subprocess.Popen(["strace", "-f", "-qq", "-o", trace, NODE, "--config", config],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            address = self.folder / "data/http.address"
            self.wait_for(address.exists)
            self.ok(TROUPE, "--data", self.folder / "data", "submit", "hello", "--dist", "debian:12",
                    "--runner", "fake")
            child = pathlib.Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()
            os.kill(int(child[0]), signal.SIGTERM)
            self.assertEqual(node.wait(60), 0)
        finally:
            if node.poll() is None:
                node.kill()
                node.wait()
        lines = trace.read_text().splitlines()
        called = {found.group(1): line for line in lines if (found := re.match(r"\d+ +([a-z0-9_]+)\(", line))}
        self.assertIn("fdatasync", called)
        denied = set(called) - self.allowed_calls()
        # These are refused without harm: hints, and what the unit has said already.
        self.assertLessEqual(denied, {"setrlimit", "sched_setaffinity", "ioprio_set", "setpriority"})

    def allowed_calls(self):
        def members(name):
            text = self.ok("systemd-analyze", "syscall-filter", name)
            lines = [line.strip() for line in text.splitlines()[1:]]
            words = [line.split()[0] for line in lines if line and not line.startswith("#")]
            out = set()
            for word in words:
                out |= members(word) if word.startswith("@") else {word}
            return out
        # systemd always allows these; a process cannot be executed or ended without them.
        always = members("@default")
        return (members("@system-service") | always) - members("@privileged") - members("@resources")


class Images(Workshop):
    TEXT = (DEPLOY / "Containerfile").read_text()

    def test_the_build_stage_copies_what_the_build_needs(self):
        copied = [line.split()[1:] for line in self.TEXT.splitlines() if re.match(r"COPY (?!--)", line)]
        for *sources, target in copied:
            for source in sources:
                self.assertTrue((TOP / source).exists(), source)
                to = self.folder / target / (pathlib.Path(source).name if target == "./" else "")
                if (TOP / source).is_dir():
                    shutil.copytree(TOP / source, to, dirs_exist_ok=True,
                                    ignore=shutil.ignore_patterns("node_modules"))
                else:
                    to = self.folder / target / pathlib.Path(source).name if target == "./" else self.folder / target
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(TOP / source, to)
        preset = re.search(r"cmake --preset (\S+)", self.TEXT).group(1)
        self.ok("cmake", "--preset", preset, cwd=self.folder)

    def test_the_last_stage_has_what_the_programs_link(self):
        words = re.search(r"install -y --no-install-recommends (.*?)&&", self.TEXT, re.S).group(1)
        installed = set(words.replace("\\", "").split())
        in_every_image = {"libc6", "libstdc++6", "libgcc-s1"}
        for program in (TROUPE, NODE):
            for library in re.findall(r"\(NEEDED\).*\[(.+)\]", self.ok("readelf", "-d", program)):
                owners = {line.split(":")[0] for line in self.ok("dpkg-query", "-S", f"*/{library}").splitlines()}
                self.assertTrue(owners & (installed | in_every_image), f"{library}: {owners}")

    def test_the_node_is_what_it_starts(self):
        self.assertIn('ENTRYPOINT ["/usr/bin/troupe-node"]', self.TEXT)
        built = "/src/build/release/nodes/troupe"
        self.assertIn(f"COPY --from=build {built} {built}-node /usr/bin/", self.TEXT)
        self.assertRegex(self.TEXT, r"\nUSER [1-9]")


class Compose(Workshop):
    FILE = read_yaml(DEPLOY / "compose.yaml")[0]

    def test_no_service_has_privileges(self):
        self.assertEqual(len(self.FILE["services"]), 3)
        for name, service in self.FILE["services"].items():
            self.assertEqual(service["cap_drop"], ["ALL"], name)
            self.assertTrue(service["read_only"], name)
            self.assertIn("no-new-privileges:true", service["security_opt"])
            self.assertRegex(service["user"], r"^[1-9]")
            for key in ("privileged", "cap_add", "devices", "pid", "network_mode", "ipc"):
                self.assertNotIn(key, service, name)

    def test_what_it_names_exists(self):
        self.make_cluster(self.folder)
        made = {"./cluster": self.folder / "cluster", "./token": self.folder}
        for service in self.FILE["services"].values():
            build = service["build"]
            self.assertTrue((DEPLOY / build["context"] / build["dockerfile"]).is_file())
            for volume in service["volumes"]:
                source = volume.split(":")[0]
                if source.startswith("./"):
                    there = [path / source[len(begin) + 1:] for begin, path in made.items() if source.startswith(begin)]
                    self.assertTrue((there[0] if there else DEPLOY / source).exists(), source)
                elif not source.startswith("/"):
                    self.assertIn(source, self.FILE["volumes"])

    def test_services_carry_the_names_that_are_dialed(self):
        for kind in ("gateway", "runner"):
            (place,) = read_yaml(BASE / f"config/{kind}.yaml")[0]["cluster"]["dial"]
            self.assertIn(place.split("@")[1].split(":")[0], self.FILE["services"])


class Kustomize(Workshop):
    """Structure and references; the tool itself is no part of Debian 12."""

    def setUp(self):
        super().setUp()
        self.base = read_yaml(BASE / "kustomization.yaml")[0]
        self.objects = [o for name in self.base["resources"] for o in read_yaml(BASE / name)]
        self.workloads = {o["metadata"]["name"]: o for o in self.objects if o["kind"] in ("StatefulSet", "Deployment")}

    def test_every_file_is_there_and_every_generated_name_is_used(self):
        self.make_cluster(self.folder)
        names = set()
        for generator in self.base["configMapGenerator"]:
            names.add(generator["name"])
            for file in generator["files"]:
                self.assertTrue((BASE / file.split("=")[-1]).is_file(), file)
        example = read_yaml(EXAMPLE / "kustomization.yaml")[0]
        self.assertEqual([(EXAMPLE / r).resolve() for r in example["resources"]], [BASE])
        for generator in example["secretGenerator"]:
            names.add(generator["name"])
            for file in generator["files"]:
                self.assertTrue((self.folder / file).is_file(), file)
        used = set()
        for work in self.workloads.values():
            for volume in work["spec"]["template"]["spec"]["volumes"]:
                used |= {v for k in ("configMap", "secret") for v in volume.get(k, {}).values() if isinstance(v, str)}
        self.assertEqual(used, names)
        listed = {p.name for p in BASE.glob("*.yaml")} - {"kustomization.yaml"}
        self.assertEqual(listed, set(self.base["resources"]))

    def test_kinds(self):
        kinds = sorted((o["kind"], o["metadata"]["name"]) for o in self.objects
                       if o["kind"] not in ("NetworkPolicy", "Service"))
        self.assertEqual(kinds, [("Deployment", "troupe-gateway"), ("Deployment", "troupe-runner"),
                                 ("PodDisruptionBudget", "troupe-gateway"), ("PodDisruptionBudget", "troupe-runner"),
                                 ("PodDisruptionBudget", "troupe-state"), ("StatefulSet", "troupe-state")])
        # Two pods of one name would refuse each other.
        for work in self.workloads.values():
            self.assertEqual(work["spec"]["replicas"], 1)

    def test_selectors_find_pods(self):
        labels = [w["spec"]["template"]["metadata"]["labels"] for w in self.workloads.values()]
        common = self.base["labels"][0]["pairs"]
        for o in self.objects:
            spec = o["spec"]
            selector = spec.get("podSelector", spec.get("selector"))
            wanted = selector.get("matchLabels", selector)
            self.assertTrue(any(wanted.items() <= {**common, **l}.items() for l in labels), o["metadata"]["name"])

    def test_pods_are_restricted_and_probed(self):
        for name, work in self.workloads.items():
            pod = work["spec"]["template"]["spec"]
            self.assertTrue(pod["securityContext"]["runAsNonRoot"], name)
            self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
            self.assertFalse(pod["automountServiceAccountToken"])
            self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & set(pod))
            host = [v["name"] for v in pod["volumes"] if "hostPath" in v]
            self.assertEqual(host, ["engine"] if name == "troupe-runner" else [])
            (container,) = pod["containers"]
            self.assertEqual(container["securityContext"], {"allowPrivilegeEscalation": False,
                             "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
            self.assertEqual(container["image"], self.base["images"][0]["name"])
            ports = {p["name"] for p in container["ports"]}
            for probe, paths in {"startupProbe": {"/healthz/live"}, "livenessProbe": {"/healthz/live"},
                                 "readinessProbe": {"/healthz/ready", "/healthz/live"}}.items():
                get = container[probe]["httpGet"]
                self.assertIn(get["path"], paths)
                self.assertIn(get["port"], ports)
            volumes = {v["name"] for v in pod["volumes"]} | {
                c["metadata"]["name"] for c in work["spec"].get("volumeClaimTemplates", [])}
            self.assertEqual({m["name"] for m in container["volumeMounts"]}, volumes)

    def test_drain_fits_into_the_time_to_end(self):
        def seconds(text):
            return int(re.match(r"\d+", text).group()) * {"s": 1, "m": 60}[text[-1]]
        for kind in NODES:
            pod = self.workloads["troupe-" + kind]["spec"]["template"]["spec"]
            limit = read_yaml(BASE / f"config/{kind}.yaml")[0]["node"].get("drain_limit", "30s")
            self.assertGreater(pod["terminationGracePeriodSeconds"], seconds(limit))

    def test_mounted_files_are_where_the_node_looks(self):
        for kind in NODES:
            (container,) = self.workloads["troupe-" + kind]["spec"]["template"]["spec"]["containers"]
            mounts = [m["mountPath"] for m in container["volumeMounts"]]
            config = (BASE / f"config/{kind}.yaml").read_text()
            self.assertIn("/etc/troupe/node.yaml", mounts)
            for path in re.findall(r"(/(?:etc|var|run)/[\w./-]+)", config):
                self.assertTrue(any(path == m or path.startswith(m + "/") for m in mounts), path)

    def test_the_network_is_closed_but_for_what_is_named(self):
        policies = {o["metadata"]["name"]: o["spec"] for o in self.objects if o["kind"] == "NetworkPolicy"}
        self.assertNotIn("ingress", policies["troupe-default"])
        self.assertEqual(policies["troupe-default"]["policyTypes"], ["Ingress", "Egress"])
        port = int(read_yaml(BASE / "config/state.yaml")[0]["cluster"]["listen"].rsplit(":", 1)[1])
        (rule,) = policies["troupe-state"]["ingress"]
        self.assertEqual([p["port"] for p in rule["ports"]], [port])
        for name in ("troupe-gateway", "troupe-runner"):
            self.assertIn(port, [p["port"] for rule in policies[name]["egress"] for p in rule["ports"]])


if __name__ == "__main__":
    unittest.main()
