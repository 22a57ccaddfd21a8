import assert from "node:assert/strict";
import { test } from "node:test";
import type { Diagnostic } from "../../domain/diagnostic.ts";
import type { Manifest } from "../../domain/spec/manifest.ts";
import { MANIFEST_BYTES_MAX, readManifest } from "./read-manifest.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: prod\n";

function accepted(text: string): Manifest {
  const { manifest, diagnostics } = readManifest("fleet.yaml", text);
  assert.deepEqual(diagnostics, []);
  assert.equal(manifest?.flawed, false);
  return manifest!;
}

function shown(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.map((one) => {
    const place = `${one.at?.path}:${one.at?.line}:${one.at?.column}`;
    return `${place} ${one.code} ${one.saw}${one.next === undefined ? "" : ` / ${one.next}`}`;
  });
}

function problems(text: string): readonly string[] {
  const { manifest, diagnostics } = readManifest("fleet.yaml", text);
  assert.ok(manifest === null || manifest.flawed, "an accepted manifest has no problems");
  return shown(diagnostics);
}

test("two lines are a manifest: units under units/, everything else by default", () => {
  const manifest = accepted(HEAD);
  assert.equal(manifest.cluster.value, "prod");
  assert.deepEqual(
    manifest.paths.map((path) => path.value),
    ["units"],
  );
  assert.deepEqual([manifest.units, manifest.machines, manifest.admit], [[], [], null]);
});

test("environment, instances and metadata are what is written, not what YAML makes of it", () => {
  const manifest = accepted(`${HEAD}units:
  web@.service:
    instances: [01, 02, yes, 1e3]
    environment:
      APP_VERSION: 1.10
      LONG: 12345678901234567890
      MODE: 0644
      YES: yes
      NO: no
      NOTHING: ""
      TILDE: ~
      QUOTED: "a\\tb"
      HEX: 0x1F
      DATE: 2026-11-21
      __proto__: kept
machines:
  nas: { metadata: { rack: 007 } }
`);
  const settings = manifest.units[0]!.settings;
  assert.deepEqual(
    settings.instances?.value.map((name) => name.value),
    ["01", "02", "yes", "1e3"],
  );
  assert.deepEqual(
    settings.environment.map((one) => [one.name, one.value]),
    [
      ["APP_VERSION", "1.10"],
      ["LONG", "12345678901234567890"],
      ["MODE", "0644"],
      ["YES", "yes"],
      ["NO", "no"],
      ["NOTHING", ""],
      ["TILDE", "~"],
      ["QUOTED", "a\tb"],
      ["HEX", "0x1F"],
      ["DATE", "2026-11-21"],
      ["__proto__", "kept"],
    ],
  );
  assert.deepEqual(
    manifest.machines[0]!.metadata.map((one) => one.value),
    ["007"],
  );
});

test("every accepted key arrives", () => {
  const manifest = accepted(`apiVersion: fleet/v1
cluster: home
source: { url: "git@host:me/homelab", branch: main }
release: { by: approval, maxRestarts: 10, maxStops: 0 }
sync: { interval: 30s, maxAge: 168h }
paths: [units, ../shared]
defaults: { state: loaded, group: auto }
units:
  web@.service:
    state: launched
    instances: 3
    rollout: { maxUnavailable: 2, minHealthyTime: 10s, healthDeadline: 2m, maxParallel: 4, onFailure: rollback, canary: role=early, bake: 10m }
    drift: correct
    onDisconnect: keep
    replace: after=10m
    move: never
    adopt: false
    group: none
machines:
  nas: { id: 3f2a9c0e7d1b4c55a0c1d2e3f4a5b6c7, drain: true, cordon: false, dropins: { web@.service: [m/nas.conf] } }
  pi: { key: "ed25519:${"p".repeat(42)}A", engineKey: ed25519:${"e".repeat(42)}A }
admit: any
rings: [{ match: "role=early", soak: 24h, window: "Mon..Thu 02:00-04:00" }, { match: "*" }]
reboots: { slots: 2, window: "01:00-02:00 Europe/Berlin", drain: true }
loss: { agentTtl: 3s, grace: 1s, outageAt: 40%, outageMin: 3, outageWindow: 1m, lossWindow: 0s, movesAt: 100%, movesWindow: 1h, flapAt: 4, flapWindow: 2h, flapHold: 5m, flapHoldMax: 1h }
`);
  assert.deepEqual(manifest.source, { url: "git@host:me/homelab", branch: "main" });
  const [release, sync] = [manifest.release!, manifest.sync!];
  assert.deepEqual([release.by, release.maxRestarts, release.maxStops, release.at.line], ["approval", 10, 0, 4]);
  assert.deepEqual([sync.intervalMs, sync.maxAgeMs, sync.at.line], [30_000, 604_800_000, 5]);
  assert.equal(manifest.defaults.state?.value, "loaded");
  const settings = manifest.units[0]!.settings;
  assert.deepEqual(
    settings.instances?.value.map((name) => name.value),
    ["1", "2", "3"],
  );
  const { canary, at, ...rollout } = settings.rollout;
  assert.deepEqual(rollout, {
    maxUnavailable: 2,
    minHealthyTimeMs: 10_000,
    healthDeadlineMs: 120_000,
    maxParallel: 4,
    onFailure: "rollback",
    bakeMs: 600_000,
  });
  assert.deepEqual(canary?.value, { match: { kind: "metadata", key: "role", values: ["early"] } });
  assert.deepEqual([at?.line, canary?.at.line], [12, 12]);
  assert.deepEqual(
    manifest.rings.map(({ match, soakMs, window }) => [match.value, soakMs, window?.value ?? null]),
    [
      ["role=early", 86_400_000, "Mon..Thu 02:00-04:00"],
      ["*", null, null],
    ],
  );
  assert.deepEqual([manifest.reboots?.slots, manifest.reboots?.window?.value], [2, "01:00-02:00 Europe/Berlin"]);
  assert.equal(manifest.reboots?.drain, true);
  assert.deepEqual([settings.state?.value, settings.move?.value, settings.group?.value], ["launched", "never", "none"]);
  assert.equal(settings.replace?.value, "after=600s");
  const machine = manifest.machines[0]!;
  assert.deepEqual([machine.drain, machine.cordon, machine.id?.value.length], [true, false, 32]);
  assert.deepEqual(machine.dropins[0]!.paths[0], {
    value: "m/nas.conf",
    at: { path: "fleet.yaml", line: 20, column: 102 },
  });
  assert.deepEqual([machine.machineKey, machine.engineKey], [null, null]);
  const { machineKey, engineKey } = manifest.machines[1]!;
  assert.deepEqual(machineKey, {
    value: `ed25519:${"p".repeat(42)}A`,
    at: { path: "fleet.yaml", line: 21, column: 14 },
  });
  assert.equal(engineKey?.value, `ed25519:${"e".repeat(42)}A`);
  assert.equal(manifest.admit?.value, "any");
  assert.deepEqual(manifest.loss.values, {
    agentTtlMs: 3000,
    graceMs: 1000,
    outageAtPercent: 40,
    outageMin: 3,
    outageWindowMs: 60_000,
    lossWindowMs: 0,
    movesAtPercent: 100,
    movesWindowMs: 3_600_000,
    flapAt: 4,
    flapWindowMs: 7_200_000,
    flapHoldMs: 300_000,
    flapHoldMaxMs: 3_600_000,
  });
});

/** Of the refused ones those that are meant to hurt whoever reads them. */
const BOMBS = new Set(["the same key twice", "an anchor and its alias", "a tag", "a merge key", "two documents"]);

const refused: readonly (readonly [what: string, text: string, problems: readonly string[]])[] = [
  ["an empty file", "", ["fleet.yaml:1:1 manifest-yaml an empty file"]],
  ["a list", "- a\n", ["fleet.yaml:1:1 manifest-value a list"]],
  ["no cluster", "apiVersion: fleet/v1\n", ["fleet.yaml:1:1 manifest-missing-key no cluster"]],
  [
    "another apiVersion",
    "apiVersion: fleet/v2\ncluster: a\n",
    ['fleet.yaml:1:13 manifest-value apiVersion: "fleet/v2"'],
  ],
  [
    "a cluster name with a capital",
    "apiVersion: fleet/v1\ncluster: Prod\n",
    ['fleet.yaml:2:10 manifest-value cluster: "Prod"'],
  ],
  [
    "the same key twice",
    `${HEAD}units:\n  a.service: {}\n  a.service: {}\n`,
    ["fleet.yaml:5:3 manifest-yaml the same key twice in one mapping / keep one of them"],
  ],
  [
    "an anchor and its alias",
    `${HEAD}defaults: &d { state: loaded }\nunits: { a.service: *d }\n`,
    [
      "fleet.yaml:3:11 manifest-yaml a YAML anchor / write the value out where it is used",
      "fleet.yaml:4:21 manifest-yaml a YAML alias / write the value out",
    ],
  ],
  [
    "a tag",
    `${HEAD}units: !!map {}\n`,
    ["fleet.yaml:3:8 manifest-yaml a YAML tag / remove it; scalars are taken as written"],
  ],
  [
    "a merge key",
    `${HEAD}units: { a.service: { <<: { state: loaded } } }\n`,
    ["fleet.yaml:3:23 manifest-unknown-key the unknown key <<"],
  ],
  [
    "two documents",
    `${HEAD}---\na: b\n`,
    ["fleet.yaml:3:1 manifest-yaml a second YAML document / keep one document per file"],
  ],
  [
    "unknown keys at every level, all at once",
    `${HEAD}unit: {}\nunits:\n  a.service: { stat: loaded, rollout: { maxUnavailble: 1 } }\nmachines: { nas: { drian: true } }\nloss: { ttl: 1s }\n`,
    [
      "fleet.yaml:3:1 manifest-unknown-key the unknown key unit / did you mean units?",
      "fleet.yaml:5:16 manifest-unknown-key the unknown key stat / did you mean state?",
      "fleet.yaml:5:41 manifest-unknown-key the unknown key maxUnavailble / did you mean maxUnavailable?",
      "fleet.yaml:6:20 manifest-unknown-key the unknown key drian / did you mean drain?",
      "fleet.yaml:7:9 manifest-unknown-key the unknown key ttl",
    ],
  ],
  [
    "keys that are none, of a machine and of its engine",
    `${HEAD}machines: { nas: { key: "ed25519:AAAA", engineKey: ssh-ed25519 } }\n`,
    ['fleet.yaml:3:25 manifest-value key: "ed25519:AAAA"', 'fleet.yaml:3:52 manifest-value engineKey: "ssh-ed25519"'],
  ],
  [
    "a hundred million instances, without writing them out",
    `${HEAD}units: { a@.service: { instances: 100000000 } }\n`,
    ['fleet.yaml:3:35 manifest-value instances: "100000000"'],
  ],
  [
    "instances that are no number",
    `${HEAD}units: { a@.service: { instances: 10^8 }, b@.service: { instances: 0 }, c@.service: { instances: 01 } }\n`,
    [
      'fleet.yaml:3:35 manifest-value instances: "10^8"',
      'fleet.yaml:3:68 manifest-value instances: "0"',
      'fleet.yaml:3:98 manifest-value instances: "01"',
    ],
  ],
  [
    "keys without a value",
    `${HEAD}units:\n  a.service:\n    environment:\n      A:\n`,
    ["fleet.yaml:6:9 manifest-value A: nothing"],
  ],
  [
    "a variable that cannot be one",
    `${HEAD}units: { a.service: { environment: { "A B": 1 } } }\n`,
    ["fleet.yaml:3:38 manifest-key A B"],
  ],
  [
    "trust in what fleet does not know",
    `${HEAD}trust: { mode: all, forgeKeys: [gitlab], rules: [{ paths: [], count: 0 }] }\n`,
    [
      'fleet.yaml:3:16 manifest-value mode: "all"',
      'fleet.yaml:3:33 manifest-value forgeKeys: "gitlab"',
      "fleet.yaml:3:59 manifest-value paths: a list",
      'fleet.yaml:3:70 manifest-value count: "0"',
    ],
  ],
  ["a short machine id", `${HEAD}machines: { nas: { id: 3f2a9c } }\n`, ['fleet.yaml:3:24 manifest-value id: "3f2a9c"']],
  ["a YAML 1.1 boolean", `${HEAD}machines: { nas: { drain: yes } }\n`, ['fleet.yaml:3:27 manifest-value drain: "yes"']],
  [
    "a lease etcd would not grant",
    `${HEAD}loss: { agentTtl: 1s }\n`,
    ['fleet.yaml:3:19 manifest-value agentTtl: "1s"'],
  ],
];

for (const [what, text, expected] of refused) {
  test(`${BOMBS.has(what) ? "row 84: " : ""}refused: ${what}`, () => assert.deepEqual(problems(text), expected));
}

test("row 84: aliases of aliases, keys of prototypes and endless scalars cost nothing, and become nothing", () => {
  const levels = Array.from(
    { length: 30 },
    (_, at) => `b${at}: &b${at} [${`*b${at - 1},`.repeat(at === 0 ? 0 : 10)}x]`,
  );
  const bombs: readonly (readonly [what: string, text: string, saw: RegExp])[] = [
    ["a billion laughs", `${HEAD}${levels.join("\n")}\n`, /an? YAML (anchor|alias)/],
    ["an alias of itself", `${HEAD}units: &u { a.service: *u }\n`, /a YAML (anchor|alias)/],
    ["a prototype at the top", `${HEAD}__proto__: { admit: any }\n`, /the unknown key __proto__/],
    ["a constructor", `${HEAD}constructor: { prototype: { drain: true } }\n`, /the unknown key constructor/],
    [
      "the prototype of a machine",
      `${HEAD}machines: { nas: { __proto__: { drain: true } } }\n`,
      /the unknown key __proto__/,
    ],
    ["a tag that would run something", `${HEAD}units: !!js/function "f"\n`, /a YAML tag/],
    ["binary", `${HEAD}cluster2: !!binary aGk=\n`, /a YAML tag/],
    ["a key of 200,000 letters", `${HEAD}${"k".repeat(200_000)}: 1\n`, /the unknown key|not YAML/],
    [
      "a number of 200,000 digits",
      `${HEAD}units: { a@.service: { instances: ${"9".repeat(200_000)} } }\n`,
      /instances: /,
    ],
    [
      "20,000 unknown keys",
      `${HEAD}${Array.from({ length: 20_000 }, (_, at) => `k${at}: 1`).join("\n")}\n`,
      /the unknown key k0/,
    ],
    ["quotes that never end", `${HEAD}units: "${"a\n\n".repeat(50_000)}`, /not YAML/],
    ["comments without end", `${HEAD}${"#".repeat(200_000)}`, /^$/],
  ];
  for (const [what, text, saw] of bombs) {
    const before = process.cpuUsage();
    const { manifest, diagnostics } = readManifest("fleet.yaml", text);
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 5_000_000, `${what}: ${user + system} microseconds`);
    assert.match(diagnostics.find(({ severity }) => severity === "error")?.saw ?? "", saw, what);
    assert.ok(manifest === null || manifest.flawed === diagnostics.length > 0, what);
    assert.ok(
      diagnostics.every((each) => each.saw.length < 300_000),
      what,
    );
  }
  assert.equal(({} as { drain?: boolean; admit?: string }).drain, undefined);
  assert.equal(({} as { drain?: boolean; admit?: string }).admit, undefined);
});

test("adopt is a default of the cluster and of each unit its own", () => {
  const { manifest } = readManifest(
    "fleet.yaml",
    `${HEAD}defaults: { adopt: true }\nunits: { a.service: { adopt: false }, b.service: {} }\n`,
  );
  assert.equal(manifest?.defaults.adopt, true);
  assert.deepEqual(
    manifest?.units.map(({ settings }) => settings.adopt),
    [false, null],
  );
});

test("what becomes of units whose machine lost the cluster is a default and of each unit its own", () => {
  const { manifest, diagnostics } = readManifest(
    "fleet.yaml",
    `${HEAD}defaults: { onDisconnect: keep }\nunits: { a.service: { onDisconnect: stop-after=90000ms }, b.service: {} }\n`,
  );
  assert.deepEqual(diagnostics, []);
  assert.equal(manifest?.defaults.onDisconnect?.value, "keep");
  assert.deepEqual(
    manifest?.units.map(({ settings }) => settings.onDisconnect),
    [{ value: "stop-after=90s", at: { path: "fleet.yaml", line: 4, column: 37 } }, null],
  );
});

test("drift is a default of the cluster and of each unit its own", () => {
  const { manifest, diagnostics } = readManifest(
    "fleet.yaml",
    `${HEAD}defaults: { drift: detect }\nunits: { a.service: { drift: off }, b.service: { drift: correct }, c.service: {} }\n`,
  );
  assert.deepEqual(diagnostics, []);
  assert.equal(manifest?.defaults.drift, "detect");
  assert.deepEqual(
    manifest?.units.map(({ settings }) => settings.drift),
    ["off", "correct", null],
  );
});

test("trust is read with the places of its paths", () => {
  const { manifest, diagnostics } = readManifest(
    "fleet.yaml",
    `${HEAD}trust: { signers: trust/signers, forgeKeys: [github-web-flow], rules: [{ paths: [a/**, b], signers: [ops], count: 2 }, { paths: [c] }] }\n`,
  );
  assert.deepEqual(diagnostics, []);
  const at = (column: number) => ({ path: "fleet.yaml", line: 3, column });
  assert.deepEqual(manifest?.trust, {
    mode: null,
    signers: { value: "trust/signers", at: at(19) },
    forgeKeys: ["github-web-flow"],
    rules: [
      {
        paths: [
          { value: "a/**", at: at(82) },
          { value: "b", at: at(88) },
        ],
        signers: ["ops"],
        count: 2,
      },
      { paths: [{ value: "c", at: at(130) }], signers: [], count: null },
    ],
    at: at(1),
  });
});

test("whom to tell is read with its places, and where to say how commits fare", () => {
  const text = `${HEAD}notify: [{ on: [held, failed], webhook: "https://chat.example.org/x" }]\nstatus: { forge: github, tokenFile: /etc/fleet/token }\n`;
  const { manifest, diagnostics } = readManifest("fleet.yaml", text);
  assert.deepEqual(diagnostics, []);
  const { notify, status } = manifest!;
  assert.deepEqual(status, { forge: "github", tokenFile: "/etc/fleet/token" });
  assert.deepEqual(
    [notify[0]?.on, notify[0]?.webhook, notify[0]?.command, notify[0]?.at.line],
    [["held", "failed"], "https://chat.example.org/x", null, 3],
  );
});

test("a manifest for another fleet is refused with that alone, whatever else it holds", () => {
  const text = `${HEAD}requires: ">=1.2 <2"\nkeyOfLater: 1\n`;
  for (const version of ["1.1.9", "2.0.0"]) {
    const { manifest, diagnostics } = readManifest("fleet.yaml", text, version);
    assert.equal(manifest, null);
    assert.deepEqual(diagnostics, [
      {
        code: "manifest-requires",
        severity: "error",
        at: { path: "fleet.yaml", line: 3, column: 11 },
        saw: `requires: ">=1.2 <2", and this is fleet ${version}`,
        next: "use a fleet of such a version, here and on every machine of the cluster",
      },
    ]);
  }
  const codes = readManifest("fleet.yaml", text, "1.2.0").diagnostics.map(({ code }) => code);
  assert.deepEqual(codes, ["manifest-unknown-key"]);
  assert.deepEqual(readManifest("fleet.yaml", `${HEAD}requires: ">=0.1"\n`).diagnostics, []);
});

test("what requires: cannot be read as is said at its place", () => {
  for (const value of ['"1.0"', '">= 1.0"', '">=2 <1"', '"^1"', "[1]", '">=1.0-rc.1"']) {
    const { diagnostics } = readManifest("fleet.yaml", `${HEAD}requires: ${value}\n`);
    assert.deepEqual(
      diagnostics.map(({ code, at }) => [code, at?.line, at?.column]),
      [["manifest-value", 3, 11]],
      value,
    );
  }
});

test("a rename is refused as what fleet cannot do, with what happens instead", () => {
  const { manifest, diagnostics } = readManifest("fleet.yaml", `${HEAD}moved: [{ from: a.service, to: b.service }]\n`);
  assert.equal(manifest?.flawed, true);
  const [found, ...others] = diagnostics;
  assert.deepEqual(others, []);
  assert.deepEqual(
    [found?.code, found?.at?.line, found?.at?.column, found?.saw],
    ["manifest-refused-key", 3, 1, "the key moved: fleet knows a unit by its name, and cannot rename one that runs"],
  );
  assert.match(found?.next ?? "", /another unit/);
});

test("a flawed manifest keeps what is right, so that the units are looked at in the same go", () => {
  const { manifest } = readManifest(
    "fleet.yaml",
    `${HEAD}unts: {}\nunits: { a.service: { state: loaded, move: maybe } }\n`,
  );
  assert.equal(manifest?.flawed, true);
  assert.equal(manifest?.units[0]?.settings.state?.value, "loaded");
  assert.equal(manifest?.units[0]?.settings.move, null);
});

test("row 84: too large, too deep and not text are each said, in no time", () => {
  const large = readManifest("fleet.yaml", new Uint8Array(MANIFEST_BYTES_MAX + 1).fill(32));
  assert.equal(large.diagnostics[0]?.code, "manifest-too-large");
  const binary = readManifest("fleet.yaml", Uint8Array.from([0x61, 0xff]));
  assert.equal(binary.diagnostics[0]?.code, "manifest-not-utf8");
  for (const deep of ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(50_000)]) {
    const { manifest, diagnostics } = readManifest("fleet.yaml", `${HEAD}units: ${deep}`);
    assert.equal(manifest, null);
    assert.match(diagnostics[0]!.saw, /deeper than 32|not YAML/);
  }
});

test("confirm is a duration of a second or more, or off, for all units and for each", () => {
  const { manifest } = readManifest(
    "fleet.yaml",
    `${HEAD}defaults: { confirm: 2m }\nunits: { a.service: { confirm: off }, b.service: { confirm: 1s }, c.service: {} }\n`,
  );
  assert.equal(manifest?.defaults.confirm, 120_000);
  assert.deepEqual(
    manifest?.units.map(({ settings }) => settings.confirm),
    ["off", 1_000, null],
  );
  for (const text of ["0s", "999ms", "90", "on", "2y"]) {
    const { diagnostics } = readManifest("fleet.yaml", `${HEAD}defaults: { confirm: ${text} }\n`);
    assert.equal(diagnostics[0]?.at?.line, 3, text);
  }
});
