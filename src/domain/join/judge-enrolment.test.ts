import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNodeKey } from "../identity/node-key.ts";
import { parseMachineId } from "../names.ts";
import type { JoinCaller } from "./judge-caller.ts";
import { type Enrolment, type EnrolmentFacts, enrolledName, judgeEnrolment } from "./judge-enrolment.ts";

const [OURS, OTHERS] = ["o", "x"].map((letter) => parseNodeKey(`ed25519:${letter.repeat(42)}A`)!) as [never, never];
const [A, B] = ["a", "b"].map((digit) => parseMachineId(digit.repeat(32))!) as [never, never];
const CALLER: JoinCaller = { machine: A, name: "pi", isNamed: false, key: OURS, bootId: "boot-1" };
const TOKEN = { clusterId: "c1", expiresMs: 5_000, secret: "s" };
const KNOWN = { by: "root", expiresMs: 5_000, metadata: { site: "0123" }, namePrefix: "" };
const FACTS: EnrolmentFacts = {
  clusterId: "c1",
  machines: { listed: [], admitted: [], presentBoot: null },
  token: TOKEN,
  hash: "h",
  known: KNOWN,
  nowMs: 4_999,
};
const admitted = { machine: B, name: "nas", key: OTHERS, metadata: {}, by: "root", atMs: 7, token: "h" };
const listed = { name: "pi", machine: A, key: OURS };
const of = (machines: Partial<EnrolmentFacts["machines"]>): Partial<EnrolmentFacts> => ({
  machines: { ...FACTS.machines, ...machines },
});
const refused = (refusal: object): Enrolment => ({ verdict: "refused", refusal }) as Enrolment;

const cases: readonly (readonly [what: string, facts: Partial<EnrolmentFacts>, enrolment: Enrolment])[] = [
  ["a good token lets it in", {}, { verdict: "admit", name: "pi", known: KNOWN }],
  ["no token", { token: null }, refused({ code: "token-malformed" })],
  ["of another cluster", { token: { ...TOKEN, clusterId: "c2" } }, refused({ code: "token-other-cluster" })],
  [
    "of another cluster, known or not",
    { token: { ...TOKEN, clusterId: "c2" }, known: null },
    refused({ code: "token-other-cluster" }),
  ],
  ["taken back, or never made", { known: null }, refused({ code: "token-unknown" })],
  [
    "gone with its lease, after its time",
    { known: null, nowMs: 5_000 },
    refused({ code: "token-expired", atMs: 5_000 }),
  ],
  ["after its time, although its lease goes on", { nowMs: 5_000 }, refused({ code: "token-expired", atMs: 5_000 })],
  [
    "used by another machine",
    { known: null, ...of({ admitted: [admitted] }) },
    refused({ code: "token-used", name: "nas", atMs: 7 }),
  ],
  [
    "used, and after its time: who used it is the better news",
    { known: null, nowMs: 9_000, ...of({ admitted: [admitted] }) },
    refused({ code: "token-used", name: "nas", atMs: 7 }),
  ],
  [
    "shown again by the machine it let in: nothing is lost",
    { known: null, ...of({ admitted: [{ ...admitted, machine: A, name: "pi", key: OURS }] }) },
    { verdict: "already", name: "pi" },
  ],
  ["git lists it: no token is used up", of({ listed: [listed] }), { verdict: "already", name: "pi" }],
  [
    "listed without a key: the token lets it in",
    of({ listed: [{ ...listed, key: null }] }),
    { verdict: "admit", name: "pi", known: KNOWN },
  ],
  [
    "another key has its id",
    of({ listed: [{ ...listed, key: OTHERS }] }),
    refused({ code: "duplicate-id", name: "pi", by: "git" }),
  ],
  [
    "a copy of an image",
    of({ listed: [{ ...listed, machine: B }] }),
    refused({ code: "cloned-key", name: "pi", machine: B }),
  ],
  [
    "its name is another's",
    of({ listed: [{ name: "pi", machine: B, key: null }] }),
    refused({ code: "name-taken", name: "pi" }),
  ],
  [
    "its host name is another's, and the token gives it one of its own",
    { ...of({ listed: [{ name: "pi", machine: B, key: null }] }), known: { ...KNOWN, namePrefix: "site-" } },
    { verdict: "admit", name: "site-aaaaaaaa", known: { ...KNOWN, namePrefix: "site-" } },
  ],
];

for (const [what, facts, enrolment] of cases) {
  test(what, () => assert.deepEqual(judgeEnrolment(CALLER, { ...FACTS, ...facts }), enrolment));
}

test("a name somebody chose must begin as the token says", () => {
  assert.equal(enrolledName({ ...CALLER, name: "site-7", isNamed: true }, "site-"), "site-7");
  assert.equal(enrolledName({ ...CALLER, isNamed: true }, "site-"), null);
  const facts = { ...FACTS, known: { ...KNOWN, namePrefix: "site-" } };
  assert.deepEqual(
    judgeEnrolment({ ...CALLER, isNamed: true }, facts),
    refused({ code: "token-name", prefix: "site-" }),
  );
});
