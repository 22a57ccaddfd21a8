import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import type { Sha256 } from "../names.ts";
import { compileSpec } from "../spec/compile-spec.ts";
import type { Manifest, UnitSettings } from "../spec/manifest.ts";
import { NO_SETTINGS } from "../spec/unit-settings.ts";
import { LINT_RULE_NAMES, type LintSettings } from "./lint-rules.ts";
import { lintUnitFile } from "./lint-unit-file.ts";

const sha256: Sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** Findings of a commit with these units: `path:line severity rule saw`. Every rule warns, unless said otherwise. */
function found(...commit: Parameters<typeof compiled>): string[] {
  return compiled(...commit).diagnostics.map(
    ({ at, severity, code, saw }) => `${at?.path}:${at?.line ?? ""} ${severity} ${code} ${saw}`,
  );
}

function compiled(
  units: Readonly<Record<string, string>>,
  lint?: LintSettings,
  settings?: Partial<UnitSettings>,
  registryPorts: readonly number[] = [],
): ReturnType<typeof compileSpec> {
  const at = { path: "fleet.yaml", line: 9, column: 3 };
  const manifest: Manifest = {
    flawed: false,
    cluster: { value: "test", at },
    source: null,
    paths: [{ value: "units", at }],
    defaults: { ...NO_SETTINGS, ...settings },
    units: [],
    machines: [],
    admit: null,
    secretRecipients: [],
    rings: [],
    reboots: null,
    trust: null,
    release: null,
    sync: null,
    notify: [],
    status: null,
    loss: { values: {}, at: null },
    lint: lint ?? Object.fromEntries(LINT_RULE_NAMES.map((rule) => [rule, rule === "implied-root" ? "off" : "warn"])),
  };
  const files = Object.entries(units).map(([name, text]) => ({
    path: `units/${name}`,
    kind: "file" as const,
    oid: "",
    bytes: new TextEncoder().encode(text),
  }));
  return compileSpec({ manifestPath: "fleet.yaml", manifest, files, lint: lintUnitFile, registryPorts }, sha256);
}

/** One unit's text, without the place's path. */
function foundIn(name: string, text: string): string[] {
  return found({ [name]: text }).map((line) => line.replace(`units/${name}:`, "").replace(" warning", ""));
}

const START = "ExecStart=/bin/true\n";

describe("each rule finds what it is for", () => {
  const cases: [sentence: string, name: string, text: string, findings: string[]][] = [
    [
      "no ExecStart=",
      "a.service",
      "[Service]\nType=simple\n",
      ["1 unit-refused a service without ExecStart=: systemd refuses to load the unit"],
    ],
    [
      "no [Service] at all",
      "a.service",
      "[Unit]\nDescription=x\n",
      [" unit-refused a service without ExecStart=: systemd refuses to load the unit"],
    ],
    [
      "a stop alone",
      "a.service",
      "[Service]\nExecStop=/bin/true\n",
      ["1 unit-refused a service with ExecStop= alone: systemd refuses to load the unit"],
    ],
    [
      "two starts",
      "a.service",
      `[Service]\n${START}${START}`,
      ["3 unit-refused a second ExecStart=: systemd refuses to load the unit"],
    ],
    [
      "a relative program",
      "a.service",
      "[Service]\nExecStart=@bin/run x\n",
      ["2 unit-refused ExecStart= with the relative path bin/run: systemd refuses to load the unit"],
    ],
    [
      "a oneshot for ever",
      "a.service",
      `[Service]\nType=oneshot\nRestart=always\n${START}`,
      ["3 unit-refused Restart=always with Type=oneshot: systemd refuses to load the unit"],
    ],
    [
      "a D-Bus service without a name",
      "a.service",
      `[Service]\nType=dbus\n${START}`,
      ["2 unit-refused Type=dbus without BusName=: systemd refuses to load the unit"],
    ],
    [
      "a timer that never fires",
      "a.timer",
      "[Timer]\nPersistent=true\n",
      ["1 unit-refused a.timer without OnCalendar= or another On…=: systemd refuses to load the unit"],
    ],
    [
      "a socket nobody can call",
      "a.socket",
      "[Socket]\nAccept=no\n",
      ["1 unit-refused a.socket without a Listen…=: systemd refuses to load the unit"],
    ],
    [
      "a path that waits for nothing",
      "a.path",
      "[Path]\nMakeDirectory=yes\n",
      ["1 unit-refused a.path without a Path…= or DirectoryNotEmpty=: systemd refuses to load the unit"],
    ],
    [
      "a container of no image",
      "a.container",
      "[Unit]\nDescription=a\n[Container]\nExec=sleep\n",
      ["3 unit-refused a.container without Image= or Rootfs=: podman's generator makes no service of it"],
    ],
    [
      "a build of no name",
      "a.build",
      "[Build]\nFile=/srv/Containerfile\n",
      ["1 unit-refused a.build without ImageTag=: podman's generator makes no service of it"],
    ],
    [
      "forking without a PID file",
      "a.service",
      `[Service]\nType=forking\n${START}`,
      ["2 forking-without-pidfile Type=forking without PIDFile=: systemd guesses which process is the service"],
    ],
    [
      "no end of a stop",
      "a.service",
      `[Service]\nTimeoutStopSec=infinity\n${START}`,
      ["2 endless-stop-timeout TimeoutStopSec=infinity: a stop that hangs is never ended"],
    ],
    [
      "the old way to say so",
      "a.service",
      `[Service]\nTimeoutSec=0\n${START}`,
      ["2 endless-stop-timeout TimeoutSec=0: a stop that hangs is never ended"],
    ],
    [
      "killing nothing",
      "a.service",
      `[Service]\nKillMode=none\n${START}`,
      ["2 kill-mode-none KillMode=none: what a stop leaves running is nobody's"],
    ],
    [
      "waiting for a network nobody wants",
      "a.service",
      `[Unit]\nAfter=x.service network-online.target\n[Service]\n${START}`,
      ["2 network-online-not-wanted After=network-online.target, which nothing here starts"],
    ],
    [
      "a pipe",
      "a.service",
      "[Service]\nExecStart=/bin/cat x | grep y\n",
      ["2 exec-shell-syntax | in ExecStart=, which systemd hands to the program as an argument"],
    ],
    [
      "a redirection",
      "a.service",
      `[Service]\nExecStartPre=/bin/x "a b" >/dev/null 2>&1\n${START}`,
      ["2 exec-shell-syntax >/dev/null in ExecStartPre=, which systemd hands to the program as an argument"],
    ],
    [
      "a unit against itself",
      "a.service",
      `[Unit]\nConflicts=b.service %n\n[Service]\n${START}[X-Fleet]\nConflicts=a.service\n`,
      [
        "2 dependency-contradiction Conflicts=a.service in a.service itself",
        "6 dependency-contradiction Conflicts=a.service in a.service itself",
      ],
    ],
    [
      "with and without another",
      "a.service",
      `[Unit]\nRequires=b.service\nConflicts=b.service\n[Service]\n${START}`,
      ["2 dependency-contradiction Requires=b.service beside Conflicts=b.service"],
    ],
    [
      "data, and no word about moving",
      "a.service",
      `[Service]\nStateDirectory=db\n${START}`,
      [" state-that-cannot-move StateDirectory=db holds a.service to its machine, also when that is lost"],
    ],
    [
      "row 62: systemd's own name",
      "dbus.service",
      `[Service]\n${START}`,
      [" reserved-names dbus.service, the name of a unit of the system's own, which it would hide on its machine"],
    ],
    [
      "row 62: the name people log in by",
      "sshd.service",
      `[Service]\n${START}`,
      [" reserved-names sshd.service, the name of a unit of the system's own, which it would hide on its machine"],
    ],
    [
      "a quadlet that becomes one",
      "systemd-x.container",
      "[Container]\nImage=x\n",
      [
        " reserved-names systemd-x.container, the name of a unit of the system's own, which it would hide on its machine",
      ],
    ],
    [
      "fleet's own name",
      "fleet-agent.service",
      `[Service]\n${START}`,
      [" reserved-names fleet-agent.service, the name of a unit of fleet's own, which it would hide on its machine"],
    ],
    [
      "a password, at its own line of a continuation",
      "a.service",
      `[Service]\n${START}Environment=A=b \\\n  DB_PASSWORD=hunter2\n`,
      ["4 secret-in-environment a literal secret in Environment= (DB_PASSWORD)"],
    ],
    [
      "a token on a command line",
      "a.service",
      "[Service]\nExecStart=/bin/x --api-token abc\n",
      ["2 secret-in-environment a literal secret in ExecStart= (--api-token)"],
    ],
  ];
  for (const [sentence, name, text, findings] of cases) {
    test(sentence, () => assert.deepEqual(foundIn(name, text), findings));
  }

  test("a service as root, where that rule is on", () => {
    const lint = { "implied-root": "warn" } as const;
    assert.deepEqual(found({ "a.service": `[Service]\n${START}`, "b.service": `[Service]\nUser=b\n${START}` }, lint), [
      "units/a.service:1 warning implied-root a service that runs as root because nobody said otherwise",
    ]);
  });

  test("a password among the manifest's variables, whose value is not told", () => {
    const environment = [{ name: "A_TOKEN", value: 'abc"d', at: { path: "fleet.yaml", line: 5, column: 7 } }];
    assert.deepEqual(found({ "a.service": `[Service]\n${START}` }, undefined, { environment }), [
      "fleet.yaml:5 warning secret-in-environment a literal secret in environment: (A_TOKEN)",
    ]);
  });
});

describe("no finding", () => {
  const cases: [sentence: string, name: string, text: string][] = [
    ["a bare name is looked up by systemd", "a.service", "[Service]\nExecStart=sleep 5\n"],
    ["signs before a path", "a.service", "[Service]\nExecStart=-@/bin/sh sh\n"],
    ["a oneshot of several steps", "a.service", `[Service]\nType=oneshot\n${START}${START}`],
    ["an end that is a command", "a.service", "[Unit]\nSuccessAction=reboot\n[Service]\nType=oneshot\n"],
    ["a stop alone that stays", "a.service", "[Service]\nRemainAfterExit=yes\nExecStop=/bin/true\n"],
    ["forking with a PID file", "a.service", `[Service]\nType=forking\nPIDFile=/run/a.pid\n${START}`],
    ["a long stop", "a.service", `[Service]\nTimeoutStopSec=1h\n${START}`],
    ["a start without end", "a.service", `[Service]\nTimeoutStartSec=infinity\n${START}`],
    ["the later time counts", "a.service", `[Service]\nTimeoutSec=0\nTimeoutStopSec=20\n${START}`],
    ["a pipe inside a shell's quotes", "a.service", `[Service]\nExecStart=/bin/sh -c "a | b && c > d"\n`],
    ["two commands in one line", "a.service", "[Service]\nType=oneshot\nExecStart=/bin/a ; /bin/b\n"],
    [
      "a network wanted",
      "a.service",
      `[Unit]\nWants=network-online.target\nAfter=network-online.target\n[Service]\n${START}`,
    ],
    ["a quadlet wants it by itself", "a.container", "[Unit]\nAfter=network-online.target\n[Container]\nImage=x\n"],
    ["instances kept apart", "a.service", `[Service]\n${START}[X-Fleet]\nConflicts=a*.service\n`],
    ["data, and a word about moving", "a.service", `[Service]\nStateDirectory=db\n${START}[X-Fleet]\nMove=never\n`],
    ["a name that only begins like one", "systemdata.service", `[Service]\n${START}`],
    ["a fleet of somebody else", "fleet-tracker.service", `[Service]\n${START}`],
    ["a reference to a secret", "a.service", `[Service]\n${START}Environment=DB_PASSWORD_FILE=%d/db\n`],
    ["a secret in a description is prose", "a.service", `[Unit]\nDescription=token: x\n[Service]\n${START}`],
    ["a target of one's own", "stack.target", "[Unit]\nWants=a.service\n"],
  ];
  for (const [sentence, name, text] of cases) test(sentence, () => assert.deepEqual(foundIn(name, text), []));

  test("a drop-in brings what the fragment lacks", () => {
    assert.deepEqual(found({ "a.service": "[Service]\nType=exec\n", "a.service.d/x.conf": `[Service]\n${START}` }), []);
  });

  test("a file that cannot be read is not held against its unit as well", () => {
    assert.deepEqual(found({ "a.service": "[Service\nExecStart=/bin/true\n" }), [
      'units/a.service:1 error unit-section-header a malformed section header: "[Service"',
    ]);
  });
});

describe("units on the registry's port", () => {
  const cases: [sentence: string, name: string, text: string, isFound: boolean][] = [
    ["etcd as it is", "etcd.service", "[Service]\nExecStart=/usr/bin/etcd --name a\n", true],
    [
      "etcd elsewhere",
      "etcd.service",
      "[Service]\nExecStart=/usr/bin/etcd --listen-client-urls http://[::]:4001\n",
      false,
    ],
    [
      "etcd said to be there",
      "e.service",
      "[Service]\nExecStart=/x --listen-client-urls=http://0:1,http://0.0.0.0:2379\n",
      true,
    ],
    [
      "by its variable",
      "e.service",
      `[Service]\n${START}Environment=ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379\n`,
      true,
    ],
    ["a container's port", "e.container", "[Container]\nImage=x\nPublishPort=127.0.0.1:2379:80/tcp\n", true],
    ["a container's inside", "e.container", "[Container]\nImage=x\nPublishPort=80:2379\n", false],
    ["docker's", "e.service", "[Service]\nExecStart=/bin/docker run -p 2379:2379 x\n", true],
    ["a socket", "e.socket", "[Socket]\nListenStream=[::]:2379\n", true],
    ["a client", "e.service", "[Service]\nExecStart=/bin/etcdctl --endpoints=http://10.0.0.1:2379 get x\n", false],
  ];
  for (const [sentence, name, text, isFound] of cases) {
    test(sentence, () => {
      const { diagnostics } = compiled({ [name]: text }, {}, undefined, [2379]);
      const found = diagnostics.filter(({ code }) => code === "registry-port");
      assert.equal(found.length, isFound ? 1 : 0);
    });
  }
});

describe("settings", () => {
  const units = { "a.service": `[Service]\nRestrat=no\n${START}`, "b.service": "[Service]\n" };
  const cases: [string, LintSettings, string[]][] = [
    ["nothing said", {}, ["warning directive-unknown", "error unit-refused"]],
    ["off", { "directive-unknown": "off" }, ["error unit-refused"]],
    [
      "raised and lowered",
      { "directive-unknown": "error", "unit-refused": "warn" },
      ["error directive-unknown", "warning unit-refused"],
    ],
  ];
  for (const [sentence, lint, expected] of cases) {
    test(sentence, () => {
      const severities = found(units, lint).map((line) => line.split(" ").slice(1, 3).join(" "));
      assert.deepEqual(severities, expected);
    });
  }

  test("an error of the lint leaves no spec, as any other; a warning does", () => {
    assert.equal(compiled({ "b.service": "[Service]\n" }, {}).spec, null);
    assert.notEqual(compiled({ "b.service": "[Service]\n" }, { "unit-refused": "warn" }).spec, null);
  });
});
