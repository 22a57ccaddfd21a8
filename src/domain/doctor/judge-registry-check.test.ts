import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeKey } from "../identity/node-key.ts";
import type { MachineId } from "../names.ts";
import type { RegistryAnswer, Seen } from "./doctor-facts.ts";
import { FINDING_CODES, REGISTRY_FINDING_CODES } from "./finding.ts";
import { judgeRegistryCheck } from "./judge-registry-check.ts";
import type { CertificateFacts, EndpointFacts, RegistryCheckFacts } from "./registry-check-facts.ts";

const MIB = 1024 ** 2;
const DAY_MS = 86_400_000;
const answer: RegistryAnswer = { version: "3.5.33", members: 3, latencyMs: 4, alarms: [], storeBytes: 20 * MIB };
const endpoint: EndpointFacts = { name: "e1:2379", version: "3.5.33", problem: null, isLearner: false, aheadMs: 300 };
const certificate: CertificateFacts = {
  ...{ whose: "client", name: "fleet-prod-engine", where: "/etc/fleet/engine.crt" },
  ...{ notBeforeMs: 0, notAfterMs: 100 * DAY_MS, nowMs: 75 * DAY_MS },
};

type Values = {
  readonly [Area in keyof RegistryCheckFacts]: RegistryCheckFacts[Area] extends Seen<infer T> ? T : never;
};
const HEALTHY: Values = {
  registry: { address: "etcds://e1:2379,e2:2379,e3:2379", answer, problem: null },
  endpoints: [endpoint, { ...endpoint, name: "e2:2379" }, { ...endpoint, name: "e3:2379", aheadMs: null }],
  store: { bytes: 20 * MIB, bytesInUse: 12 * MIB, quotaBytes: 2048 * MIB, revision: 90_000, compactedRevision: 1_000 },
  access: { isLocal: false, isSecure: true, hasUsers: true, socketMode: null },
  certificates: [certificate],
};
const of = (others: Partial<RegistryAnswer>) => ({
  registry: { ...HEALTHY.registry, answer: { ...answer, ...others } },
});
const store = (others: Partial<Values["store"]>) => ({ store: { ...HEALTHY.store, ...others } });
const access = (others: Partial<Values["access"]>) => ({ access: { ...HEALTHY.access, ...others } });
const until = (others: Partial<CertificateFacts>) => ({ certificates: [{ ...certificate, ...others }] });
const one = (others: Partial<EndpointFacts>) => ({
  endpoints: [{ ...endpoint, ...others }, ...HEALTHY.endpoints.slice(1)],
});

/** What is wrong, and every finding it makes, by severity. */
const SICK: readonly [string, Partial<Values>, readonly string[]][] = [
  ["nothing", {}, []],
  ["one with a known bug", of({ version: "3.5.4" }), ["warning etcd-data", "warning etcd-rbac", "warning etcd-leases"]],
  ["a full one", of({ alarms: ["memberID:1 alarm:NOSPACE"] }), ["error registry-alarm"]],
  ["a slow one", of({ latencyMs: 600 }), ["warning registry-slow"]],
  ["one that is away", { registry: { ...HEALTHY.registry, answer: null, problem: "gone" } }, ["error registry-away"]],
  ["one member", { ...of({ members: 1 }), endpoints: [endpoint] }, ["warning etcd-members"]],
  ["two", of({ members: 2 }), ["warning etcd-members"]],
  ["four", of({ members: 4 }), ["warning etcd-members"]],
  ["five", of({ members: 5 }), []],
  ["members it does not tell of", of({ members: 0 }), []],
  ["a member that is away", one({ version: null, problem: "refused" }), ["warning etcd-member-away"]],
  ["a learner", one({ isLearner: true }), ["warning etcd-member-away"]],
  ["an upgrade half done", one({ version: "3.6.14" }), ["warning etcd-mixed"]],
  ["a clock that is late", one({ aheadMs: -61_000 }), ["warning clock-differs"]],
  [
    "one of three in the address",
    { endpoints: [{ ...endpoint, name: "10.0.0.1:2379" }] },
    ["warning etcd-one-endpoint"],
  ],
  ["a name that may stand for all", { endpoints: [{ ...endpoint, name: "etcd.lan:2379" }] }, []],
  ["four fifths of the quota", store({ bytes: 1_700 * MIB }), ["warning registry-almost-full"]],
  ["an unknown quota", store({ quotaBytes: null, bytes: 1_700 * MIB }), ["warning registry-almost-full"]],
  ["a raised quota", store({ quotaBytes: 8192 * MIB, bytes: 1_700 * MIB }), []],
  ["history that is never compacted", store({ revision: 200_000, compactedRevision: 0 }), ["warning etcd-keeps-all"]],
  [
    "an etcd that counts for nobody",
    store({ bytes: null, bytesInUse: null, quotaBytes: null, revision: null, compactedRevision: null }),
    [],
  ],
  ["no users", access({ hasUsers: false }), ["warning etcd-open"]],
  ["neither TLS nor users", access({ isSecure: false, hasUsers: false }), ["warning etcd-open", "warning etcd-open"]],
  ["a trial on the loopback", access({ isLocal: true, isSecure: false, hasUsers: false }), []],
  ["no word of users", access({ hasUsers: null }), []],
  ["a socket for everybody", access({ isLocal: true, socketMode: 0o666 }), ["warning registry-socket-open"]],
  ["a socket for a group", access({ isLocal: true, socketMode: 0o660 }), []],
  ["less than a quarter left", until({ nowMs: 76 * DAY_MS }), ["warning certificate-ends"]],
  ["a certificate that has ended", until({ nowMs: 101 * DAY_MS }), ["error certificate-over"]],
  ["one that has not begun", until({ nowMs: -1 }), ["error certificate-over"]],
];

for (const [says, values, expected] of SICK) {
  test(`what is wrong with a registry: ${says}`, () => {
    const findings = judgeRegistryCheck(facts(values)).flatMap((area) => area.findings);
    assert.deepEqual(
      findings.map(({ code, severity }) => `${severity} ${code}`),
      expected,
    );
    for (const { saw, expected, next } of findings) for (const text of [saw, expected, next]) assert.notEqual(text, "");
  });
}

const areasOf = (values: Partial<Values>) => judgeRegistryCheck(facts(values)).map(({ area }) => area);

test("of fleet's own registry, of one behind engines and of one that is away is judged what applies", () => {
  assert.deepEqual(areasOf({}), ["registry", "members", "store", "access", "certificates"]);
  assert.deepEqual(areasOf({ ...of({ version: "3.5.0+fleet" }), certificates: [] }), ["registry", "access"]);
  const away = { registry: { ...HEALTHY.registry, answer: null, problem: "gone" } };
  assert.deepEqual(areasOf(away), ["registry", "certificates"]);
  const self = { name: "pi", machine: "1".repeat(32) as MachineId, key: "ed25519:" as NodeKey };
  const hub = { state: { engine: "nas:7440", since: "", failures: [] }, self };
  assert.deepEqual(areasOf({ registry: { ...HEALTHY.registry, hub } }), ["registry"]);
});

test("what cannot be looked at is said, with this command's name", () => {
  const unseen = { kind: "unseen", why: "denied", detail: "no" } as const;
  const [, members] = judgeRegistryCheck({ ...facts({}), endpoints: unseen });
  assert.deepEqual(
    members?.findings.map(({ code, next }) => [code, next]),
    [["not-seen", "run fleet registry check as root"]],
  );
});

test("every code has a registry here that has it", () => {
  const made = new Set(SICK.flatMap(([, , codes]) => codes.map((text) => text.split(" ")[1]!)));
  assert.deepEqual([...made].filter((code) => !(FINDING_CODES as readonly string[]).includes(code)).sort(), [
    ...REGISTRY_FINDING_CODES,
  ]);
});

function facts(values: Partial<Values>): RegistryCheckFacts {
  const all = { ...HEALTHY, ...values };
  return Object.fromEntries(
    Object.entries(all).map(([area, value]) => [area, { kind: "seen", value }]),
  ) as unknown as RegistryCheckFacts;
}
