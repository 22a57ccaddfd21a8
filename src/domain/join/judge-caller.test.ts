import assert from "node:assert/strict";
import { test } from "node:test";
import { type NodeKey, parseNodeKey } from "../identity/node-key.ts";
import { type MachineId, parseMachineId } from "../names.ts";
import type { Admission } from "./admission.ts";
import { type CallerStanding, isRefused, type JoinCaller, judgeCaller, type KnownMachines } from "./judge-caller.ts";

const key = (letter: string): NodeKey => parseNodeKey(`ed25519:${letter.repeat(42)}A`)!;
const id = (digit: string): MachineId => parseMachineId(digit.repeat(32))!;
const [OURS, OTHERS] = [key("o"), key("x")];
const CALLER: JoinCaller = { machine: id("a"), name: "pi", isNamed: false, key: OURS, bootId: "boot-1" };
const NOBODY: KnownMachines = { listed: [], admitted: [], presentBoot: null };
const admission = (changes: Partial<Admission>): Admission => ({
  ...{ machine: id("a"), name: "pi", key: OURS, metadata: {}, by: "root", atMs: 0, token: "t" },
  ...changes,
});
const listed = (name: string, machine: MachineId | null, own: NodeKey | null) => ({ name, machine, key: own });

const cases: readonly (readonly [what: string, known: Partial<KnownMachines>, standing: CallerStanding])[] = [
  ["whom nobody knows is not listed", {}, { code: "unlisted" }],
  ["git lists it", { listed: [listed("pi", id("a"), OURS)] }, { code: "listed", name: "pi" }],
  ["by another name than it has", { listed: [listed("attic", id("a"), OURS)] }, { code: "listed", name: "attic" }],
  ["a token let it in", { admitted: [admission({})] }, { code: "admitted", name: "pi" }],
  [
    "git lists it as well as a token: git's word",
    { listed: [listed("attic", id("a"), OURS)], admitted: [admission({})] },
    { code: "listed", name: "attic" },
  ],
  [
    "git lists another key for it than a token did: git's word",
    { listed: [listed("attic", id("a"), OTHERS)], admitted: [admission({})] },
    { code: "duplicate-id", name: "attic", by: "git" },
  ],
  [
    "git lists this key for it where a token let in another: git's word",
    { listed: [listed("attic", id("a"), OURS)], admitted: [admission({ key: OTHERS })] },
    { code: "listed", name: "attic" },
  ],
  [
    "git lists it and no key: one line is missing",
    { listed: [listed("pi", id("a"), null)] },
    { code: "keyless", name: "pi" },
  ],
  [
    "a token is enough where git lists no key",
    { listed: [listed("pi", id("a"), null)], admitted: [admission({})] },
    { code: "admitted", name: "pi" },
  ],
  [
    "another key has its id by git",
    { listed: [listed("nas", id("a"), OTHERS)] },
    { code: "duplicate-id", name: "nas", by: "git" },
  ],
  [
    "another key has its id by a token",
    { admitted: [admission({ key: OTHERS, name: "nas" })] },
    { code: "duplicate-id", name: "nas", by: "token" },
  ],
  [
    "its key is another machine's: an image was copied with its key",
    { listed: [listed("nas", id("b"), OURS)] },
    { code: "cloned-key", name: "nas", machine: id("b") },
  ],
  [
    "the same by a token",
    { admitted: [admission({ machine: id("b"), name: "nas" })] },
    { code: "cloned-key", name: "nas", machine: id("b") },
  ],
  [
    "another boot of it is present: a copy beside the original",
    { listed: [listed("pi", id("a"), OURS)], presentBoot: "boot-2" },
    { code: "cloned-machine", name: "pi", bootId: "boot-2" },
  ],
  [
    "its own boot is present: it is in",
    { listed: [listed("pi", id("a"), OURS)], presentBoot: "boot-1" },
    { code: "listed", name: "pi" },
  ],
  ["its name is another's", { listed: [listed("pi", id("b"), OTHERS)] }, { code: "name-taken", name: "pi" }],
  [
    "its name is that of one a token let in",
    { admitted: [admission({ machine: id("b"), key: OTHERS })] },
    { code: "name-taken", name: "pi" },
  ],
  [
    "a stanza of its name that says no id is to be its own",
    { listed: [listed("pi", null, null)] },
    { code: "unlisted" },
  ],
];

for (const [what, known, standing] of cases) {
  test(what, () => assert.deepEqual(judgeCaller(CALLER, { ...NOBODY, ...known }), standing));
}

test("what is wrong with the machine itself is refused, what only a commit is missing for is not", () => {
  const refusals = cases.map(([, , standing]) => standing).filter(isRefused);
  assert.deepEqual([...new Set(refusals.map(({ code }) => code))].sort(), [
    "cloned-key",
    "cloned-machine",
    "duplicate-id",
    "name-taken",
  ]);
});
