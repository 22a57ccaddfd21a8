import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNodeKey } from "../identity/node-key.ts";
import type { MachineId } from "../names.ts";
import type { ClusterFacts, DaemonFacts, DoctorFacts, RegistryAnswer, Seen, StandaloneFacts } from "./doctor-facts.ts";
import { DOCTOR_AREAS, FINDING_CODES } from "./finding.ts";
import { judgeMachine } from "./judge-machine.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const machine = "1".repeat(32) as MachineId;
const seen = <T>(value: T): Seen<T> => ({ kind: "seen", value });

const up = (unit: string): DaemonFacts => ({
  unit,
  load: "loaded",
  active: "active",
  sub: "running",
  result: "success",
  since: "Sat 2026-11-21 12:00:00 UTC",
  restarts: 0,
  isEnabled: true,
  openFilesMax: 65_536,
});
const gone = (unit: string): DaemonFacts => ({ ...up(unit), load: "not-found", active: "inactive", isEnabled: false });
const folder = {
  path: "/run/systemd/system",
  purpose: "unit files",
  isReadOnly: false,
  freeBytes: GIB,
  freeFiles: null,
};
const answer: RegistryAnswer = { version: "3.5.33", members: 3, latencyMs: 4, alarms: [], storeBytes: 20 * MIB };
const there = {
  name: "home",
  id: "c1",
  newerVersion: null,
  member: { name: "nas", bootId: "b1", present: true },
  aheadMs: 0,
};
const cluster: ClusterFacts = { there, here: { machine, clusterId: "c1", bootId: "b1", agentRuns: true } };

const HEALTHY: Values = {
  systemd: {
    firstProcess: "systemd",
    isBooted: true,
    version: 252,
    busProblem: null,
    machineId: machine,
  },
  disk: [folder],
  limits: { inotifyInstances: 128, inotifyWatches: 8_192 },
  daemons: {
    agent: up("fleet-agent.service"),
    engine: up("fleet-engine.service"),
    restore: { ...up("fleet-restore.service"), active: "inactive" },
    agentAnswers: true,
  },
  memory: {
    clusterId: "c1",
    clusterName: "home",
    releaseSeq: 3,
    placed: 12,
    damaged: [],
    isBootSetCut: false,
  },
  units: [],
  registry: {
    address: "etcd://e1:2379",
    answer: answer,
    problem: null,
  },
  cluster,
  source: { address: "https://git.example/infra.git", latencyMs: 80, problem: null },
  podman: { version: "4.4.1", hasGenerator: true },
};
type Values = {
  readonly [Area in keyof Omit<DoctorFacts, "standalone">]: DoctorFacts[Area] extends Seen<infer T> ? T : never;
} & { readonly standalone?: StandaloneFacts };

const { agent, engine, restore } = HEALTHY.daemons;
const daemons = (others: Partial<Values["daemons"]>) => ({ daemons: { ...HEALTHY.daemons, ...others } });
const registry = (others: Partial<RegistryAnswer>) => ({
  registry: { ...HEALTHY.registry, answer: { ...answer, ...others } },
});
const throughHub = (answers: boolean, ...codes: readonly string[]) => ({
  registry: {
    address: "hub://nas",
    answer: answers ? answer : null,
    problem: answers ? null : "registry-unreachable",
    hub: {
      state: { engine: answers ? "nas:7440" : null, since: "", failures: codes.map((code) => failure(code)) },
      self: { name: "pi", machine, key: parseNodeKey(`ed25519:${"A".repeat(43)}`)! },
    },
  },
});
const alone = (clusterId: string, code: string | null) => ({
  registry: { address: null, answer: null, problem: null },
  memory: { ...HEALTHY.memory, clusterId },
  standalone: {
    state: {
      cluster: "edge",
      commit: null,
      tip: null,
      problem: code === null ? null : { code, detail: "", journal: [] },
    },
  },
});
const failure = (code: string) => ({ engine: "nas:7440", code, detail: "the engine says no", next: null, since: "" });
const inCluster = (others: Partial<NonNullable<ClusterFacts["there"]>>, here: Partial<ClusterFacts["here"]> = {}) => ({
  cluster: { there: { ...there, ...others }, here: { ...cluster.here, ...here } },
});

/** What is wrong, and every finding it makes, by severity. */
const SICK: readonly [string, Partial<Values>, readonly string[]][] = [
  ["nothing", {}, []],
  [
    "a container without systemd",
    { systemd: { ...HEALTHY.systemd, firstProcess: "node", isBooted: false } },
    ["error not-booted-by-systemd"],
  ],
  ["an old systemd", { systemd: { ...HEALTHY.systemd, version: 251 } }, ["error systemd-old"]],
  ["no bus", { systemd: { ...HEALTHY.systemd, busProblem: "nobody there" } }, ["error bus-unreachable"]],
  ["no machine id", { systemd: { ...HEALTHY.systemd, machineId: null } }, ["error machine-id-bad"]],
  ["one that is none", { systemd: { ...HEALTHY.systemd, machineId: "uninitialized" } }, ["error machine-id-bad"]],
  ["a read-only disk", { disk: [{ ...folder, isReadOnly: true }] }, ["error folder-read-only"]],
  ["a full disk", { disk: [{ ...folder, freeBytes: 15 * MIB }] }, ["error disk-full"]],
  ["no room for files", { disk: [folder, { ...folder, freeFiles: 10 }] }, ["error disk-full"]],
  ["a disk that fills up", { disk: [{ ...folder, freeBytes: 100 * MIB }] }, ["warning disk-almost-full"]],
  ["few watches", { limits: { inotifyInstances: 128, inotifyWatches: 100 } }, ["warning inotify-low"]],
  ["no agent at all", daemons({ agent: gone(agent.unit), agentAnswers: false }), ["error agent-missing"]],
  ["an agent under another unit's name", daemons({ agent: gone(agent.unit) }), []],
  [
    "an agent that is stopped",
    daemons({ agent: { ...agent, active: "inactive", sub: "dead" } }),
    ["error agent-not-running"],
  ],
  [
    "an agent that has failed",
    daemons({ agent: { ...agent, active: "failed", result: "exit-code" } }),
    ["error daemon-failed"],
  ],
  ["a masked agent", daemons({ agent: { ...agent, load: "masked", active: "inactive" } }), ["error daemon-masked"]],
  ["an agent that does not answer", daemons({ agentAnswers: false }), ["warning agent-silent"]],
  ["nobody may ask it", daemons({ agentAnswers: null }), []],
  ["an agent that crashes", daemons({ agent: { ...agent, restarts: 4 } }), ["warning agent-starts-again"]],
  ["an agent that no boot starts", daemons({ agent: { ...agent, isEnabled: false } }), ["error agent-not-enabled"]],
  ["an agent with few files", daemons({ agent: { ...agent, openFilesMax: 64 } }), ["warning agent-few-files"]],
  ["no engine here", daemons({ engine: gone(engine.unit) }), []],
  ["an engine that has failed", daemons({ engine: { ...engine, active: "failed" } }), ["error daemon-failed"]],
  ["nothing restores", daemons({ restore: gone(restore.unit) }), ["warning restore-missing"]],
  ["no boot restores", daemons({ restore: { ...restore, isEnabled: false } }), ["warning restore-not-enabled"]],
  ["damaged memory", { memory: { ...HEALTHY.memory, damaged: ["/a", "/b", "/c", "/d"] } }, ["error memory-damaged"]],
  ["half a boot set", { memory: { ...HEALTHY.memory, isBootSetCut: true } }, ["error boot-set-damaged"]],
  [
    "files of others in the way",
    {
      units: [
        { unit: "web.service", path: "/etc/systemd/system/web.service", kind: "shadow" },
        { unit: "db.service", path: "/etc/systemd/system/db.service", kind: "mask" },
        { unit: "db.service", path: "/etc/systemd/system/db.service.d/x.conf", kind: "drop-in" },
      ],
    },
    ["error unit-shadowed", "error unit-masked", "warning drop-in-of-others"],
  ],
  ["no registry", { registry: { address: null, answer: null, problem: null } }, ["warning no-registry"]],
  [
    "a registry that is away",
    { registry: { ...HEALTHY.registry, answer: null, problem: "gone" } },
    ["error registry-away"],
  ],
  ["Debian 12's etcd", registry({ version: "3.4.23" }), ["warning etcd-rbac", "warning etcd-leases"]],
  ["fleet's own registry", registry({ version: "3.5.0+fleet" }), []],
  [
    "an etcd that loses data",
    registry({ version: "3.5.4" }),
    ["warning etcd-data", "warning etcd-rbac", "warning etcd-leases"],
  ],
  ["an etcd that tells root alone who it is", registry({ version: "", members: 0 }), []],
  ["a full etcd", registry({ alarms: ["memberID:1 alarm:NOSPACE"] }), ["error registry-alarm"]],
  ["a slow one", registry({ latencyMs: 501 }), ["warning registry-slow"]],
  ["one that does not say", registry({ alarms: null, storeBytes: null }), []],
  ["a registry through an engine", throughHub(true), []],
  ["one of several engines is away", throughHub(true, "engine-unreachable"), ["warning hub-engine-away"]],
  [
    "no engine can be used",
    throughHub(false, "engine-timeout", "refused-unlisted-key"),
    ["error hub-away", "error hub-away"],
  ],
  ["engines that answer, and a registry that does not", throughHub(false), ["error registry-away"]],
  ["no cluster asked", { cluster: { ...cluster, there: null } }, []],
  ["an empty registry", inCluster({ id: null }), ["warning no-cluster-yet"]],
  ["a wiped registry", inCluster({ id: null, replaced: "gone" }), ["error registry-replaced-here"]],
  ["a restored one", inCluster({ replaced: "at release 3" }), ["error registry-replaced-here"]],
  ["another cluster", inCluster({ id: "c2" }), ["error other-cluster-here"]],
  ["a machine that is new", inCluster({}, { clusterId: null }), []],
  ["a newer fleet's", inCluster({ newerVersion: 2 }), ["error registry-of-newer-fleet"]],
  ["an agent nobody hears", inCluster({ member: null }), ["warning not-heard-of"]],
  ["no agent, and nobody hears it", inCluster({ member: null }, { agentRuns: false }), []],
  ["a copy of this machine", inCluster({ member: { ...there.member, bootId: "b2" } }), ["error machine-id-twice"]],
  [
    "what an earlier boot said",
    inCluster({ member: { name: "nas", bootId: "b2", present: false } }, { agentRuns: false }),
    [],
  ],
  ["a clock that is behind", inCluster({ aheadMs: 120_001 }), ["warning clock-behind"]],
  ["no source", { source: { address: null, latencyMs: 0, problem: null } }, ["warning no-source"]],
  ["a source that is away", { source: { ...HEALTHY.source, problem: "branch-missing" } }, ["error source-away"]],
  ["no registry where git alone is followed", alone("standalone:edge", null), []],
  ["git alone, and not its tip", alone("standalone:edge", "mass-stop"), ["warning standalone-behind"]],
  ["git alone, on a cluster's machine", alone("c1", null), ["error standalone-joined"]],
  ["no podman", { podman: { version: null, hasGenerator: false } }, []],
  ["an old podman", { podman: { version: "4.3.1", hasGenerator: false } }, ["warning podman-old"]],
  ["half a podman", { podman: { version: "5.0.0", hasGenerator: false } }, ["warning podman-without-quadlet"]],
];

for (const [says, values, expected] of SICK) {
  test(`what is wrong: ${says}`, () => {
    const areas = judgeMachine(facts(values));
    assert.deepEqual(
      areas.map(({ area }) => area),
      DOCTOR_AREAS,
    );
    const findings = areas.flatMap((area) => area.findings);
    assert.deepEqual(
      findings.map(({ code, severity }) => `${severity} ${code}`),
      expected,
    );
    for (const { saw, expected, next } of findings) for (const text of [saw, expected, next]) assert.notEqual(text, "");
    const worst = expected.some((text) => text.startsWith("error")) ? "error" : expected.length > 0 ? "warning" : "ok";
    const severities = areas.map(({ severity }) => severity);
    assert.equal(severities.includes("error"), worst === "error");
    assert.equal(
      severities.every((severity) => severity === "ok"),
      worst === "ok",
    );
  });
}

test("what cannot be looked at is a finding, with the way to see it, and the rest is judged", () => {
  const healthy = facts({});
  for (const why of ["denied", "timeout", "failed"] as const) {
    const unseen = { kind: "unseen", why, detail: "no" } as const;
    const areas = judgeMachine({ ...healthy, memory: unseen, registry: unseen });
    const findings = areas.flatMap(({ area, findings }) => findings.map(({ code }) => `${area} ${code}`));
    assert.deepEqual(findings, ["memory not-seen", "registry not-seen"]);
    assert.equal(areas.find(({ area }) => area === "disk")?.severity, "ok");
  }
});

test("a machine that engines do not know is told the line to commit, others what the failure says", () => {
  const areas = judgeMachine(facts(throughHub(false, "refused-unlisted-key", "refused-wrong-key", "expired")));
  const line = `under machines: in the manifest, commit pi: { id: ${machine}, key: "ed25519:${"A".repeat(43)}" }`;
  assert.deepEqual(
    areas.flatMap(({ findings }) => findings.map(({ next }) => next)),
    [line, line, "look at fleet-engine there, nas:7440"],
  );
});

test("every code has a machine here that has it", () => {
  const made = new Set(["not-seen", ...SICK.flatMap(([, , codes]) => codes.map((text) => text.split(" ")[1]!))]);
  assert.deepEqual([...made].sort(), [...FINDING_CODES]);
});

function facts(values: Partial<Values>): DoctorFacts {
  const all = { ...HEALTHY, ...values };
  return Object.fromEntries(Object.entries(all).map(([area, value]) => [area, seen(value)])) as unknown as DoctorFacts;
}
