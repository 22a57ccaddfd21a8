import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId } from "../names.ts";
import type { CommitSignature } from "./commit-signature.ts";
import { type FileChange, type HistoryStep, neededOf, type SignedChange } from "./history.ts";
import { judgeCommit } from "./judge-commit.ts";
import { compilePaths } from "./path-pattern.ts";
import { NO_TRUST, type Signer, type Trust, type TrustMode, type TrustRuleSpec } from "./trust-policy.ts";

const key = (name: string): CommitSignature => ({ kind: "ssh", key: { text: name, fingerprint: `SHA256:${name}` } });
const line = (name: string, ...groups: string[]): Signer => ({
  principals: [name, ...groups],
  key: name,
  namespaces: null,
  validAfterMs: null,
  validBeforeMs: null,
});
const rule = (paths: string, count = 1, ...signers: string[]): TrustRuleSpec => ({ paths: [paths], signers, count });

/** Trust in these names; `alice` and `bob` are of ops. */
function trustIn(mode: TrustMode, names: string, ...rules: TrustRuleSpec[]): Trust {
  const signers = names
    .split(" ")
    .filter(Boolean)
    .map((name) => (name === "alice" || name === "bob" ? line(name, "ops") : line(name)));
  return { mode, signers, forgeKeys: [], rules: rules.map((one) => ({ ...one, matches: compilePaths(one.paths)! })) };
}

interface Written extends Partial<Omit<HistoryStep, "signature" | "broughtIn">> {
  readonly by?: string | null;
  readonly broughtIn?: readonly Written[];
}

let made = 0;
const change = ({ by = null, ...rest }: Written): SignedChange => ({
  commit: `c${made++}` as CommitId,
  committedMs: 1000,
  changes: [],
  ...rest,
  signature: by === null ? { kind: "none" } : key(by),
});
const file = (path: string, oid: string | null = "new", isRead = true): FileChange => ({ path, oid, isRead });

/** `ok`, or the code of what is wrong and the place of the step that it is about. */
function verdict(before: Trust, steps: readonly Written[], fromMs = 0): string {
  let trust = before;
  const history = steps.map((written): HistoryStep => {
    trust = written.trust ?? trust;
    const broughtIn = (written.broughtIn ?? []).map(change);
    return { isDetour: written.isDetour ?? false, ...change(written), broughtIn, trust };
  });
  const judged = judgeCommit(before, { kind: "known", fromMs, steps: history });
  if (judged.kind !== "refused") return judged.kind === "accepted" ? "ok" : judged.because;
  const at = history.findIndex(({ commit, broughtIn }) =>
    [commit, ...broughtIn.map((side) => side.commit)].includes(judged.commit),
  );
  const isSide = history[at]!.commit !== judged.commit;
  return `${judged.reason.code} at ${at}${isSide ? " side" : ""}`;
}

test("row 78: each mode asks of another part of the history to be signed", () => {
  const merge = { by: "alice", broughtIn: [{ by: "alice" }, { by: null }] };
  const table: readonly (readonly [string, readonly Written[], Record<TrustMode, string>])[] = [
    ["all signed", [{ by: "alice" }, { by: "bob" }], { off: "ok", head: "ok", range: "ok", strict: "ok" }],
    [
      "the tip is not",
      [{ by: "alice" }, { by: null }],
      { off: "ok", head: "unsigned at 1", range: "unsigned at 1", strict: "unsigned at 1" },
    ],
    [
      "one inside is not",
      [{ by: "alice" }, { by: null }, { by: "bob" }],
      { off: "ok", head: "ok", range: "unsigned at 1", strict: "unsigned at 1" },
    ],
    [
      "one inside is somebody else's",
      [{ by: "mallory" }, { by: "bob" }],
      { off: "ok", head: "ok", range: "unknown-signer at 0", strict: "unknown-signer at 0" },
    ],
    ["one that was merged is not", [merge], { off: "ok", head: "ok", range: "ok", strict: "unsigned at 0 side" }],
    [
      "the branch was pulled into it, and one that came along is not",
      [{ ...merge, isDetour: true }, { by: "bob" }],
      { off: "ok", head: "ok", range: "unsigned at 0 side", strict: "unsigned at 0 side" },
    ],
    ["nothing new", [], { off: "ok", head: "ok", range: "ok", strict: "ok" }],
  ];
  for (const [what, steps, expected] of table) {
    for (const mode of ["off", "head", "range", "strict"] as const)
      assert.equal(verdict(trustIn(mode, "alice bob"), steps), expected[mode], `${what}, ${mode}`);
  }
});

test("an unknown history is neither a yes nor a no", () => {
  const trust = trustIn("range", "alice");
  assert.equal(judgeCommit(trust, { kind: "unknown", because: "too-short" }).kind, "unknown");
});

test("row 80: signers are changed by those who were trusted before, step by step", () => {
  const toBob = trustIn("range", "bob");
  const table: readonly (readonly [string, TrustMode, readonly Written[], string])[] = [
    ["alice hands over to bob", "range", [{ by: "alice", trust: toBob }, { by: "bob" }], "ok"],
    [
      "alice no longer counts after that",
      "range",
      [{ by: "alice", trust: toBob }, { by: "alice" }],
      "unknown-signer at 1",
    ],
    [
      "mallory lets herself in",
      "range",
      [{ by: "mallory", trust: trustIn("range", "alice mallory") }],
      "unknown-signer at 0",
    ],
    [
      "mallory lets herself in and signs the rest",
      "range",
      [{ by: "mallory", trust: trustIn("range", "mallory") }, { by: "mallory" }],
      "unknown-signer at 0",
    ],
    ["somebody switches trust off", "range", [{ by: null, trust: NO_TRUST }], "unsigned at 0"],
    ["alice switches trust off", "range", [{ by: "alice", trust: NO_TRUST }, { by: null }], "ok"],
    [
      "in head, too, the step that changes trust must be signed, also inside",
      "head",
      [{ by: null, trust: trustIn("head", "alice mallory") }, { by: "alice" }],
      "unsigned at 0",
    ],
    [
      "in head whoever signs last must be trusted by then",
      "head",
      [{ by: null }, { by: "alice", trust: trustIn("head", "bob") }, { by: null }, { by: "bob" }],
      "ok",
    ],
    [
      "rules are lifted by those whom they ask for",
      "range",
      [{ by: "carol", trust: trustIn("range", "carol"), changes: [file("fleet.yaml")] }],
      "rule-unmet at 0",
    ],
  ];
  const ruled = trustIn("range", "alice bob carol", rule("fleet.yaml", 1, "ops"));
  for (const [what, mode, steps, expected] of table) {
    const before = expected === "rule-unmet at 0" ? ruled : trustIn(mode, "alice");
    assert.equal(verdict(before, steps), expected, what);
  }
});

test("the commit that turns trust on must give what it asks for, unless others follow that do", () => {
  const on = trustIn("range", "alice");
  assert.equal(verdict(NO_TRUST, [{ by: "alice", trust: on }]), "ok");
  assert.equal(verdict(NO_TRUST, [{ by: null, trust: on }]), "unsigned at 0");
  assert.equal(verdict(NO_TRUST, [{ by: "bob", trust: on }]), "unknown-signer at 0");
  assert.equal(verdict(NO_TRUST, [{ by: null, trust: on }, { by: "alice" }]), "ok");
  assert.equal(verdict(NO_TRUST, [{ by: null, trust: on }, { by: null }]), "unsigned at 1");
});

test("row 79: a key that has run out is not made good by an earlier date, and one that was removed by none", () => {
  const until = { ...line("alice"), validBeforeMs: 2000 };
  const trust: Trust = { ...NO_TRUST, mode: "range", signers: [until, line("bob")] };
  assert.equal(verdict(trust, [{ by: "alice", committedMs: 1500 }]), "ok");
  assert.equal(verdict(trust, [{ by: "alice", committedMs: 2500 }]), "signer-not-valid at 0");
  assert.equal(verdict(trust, [{ by: "alice", committedMs: 1500 }], 2500), "signer-not-valid at 0");
  const dated = [
    { by: "bob", committedMs: 3000 },
    { by: "alice", committedMs: 1500 },
  ];
  assert.equal(verdict(trust, dated), "signer-not-valid at 1");
  // The thief writes the date: nothing but the removal of the line helps against a date from when the key was good.
  const removed: Trust = { ...trust, signers: [line("bob")] };
  for (const committedMs of [0, 1500]) {
    assert.equal(verdict(removed, [{ by: "alice", committedMs }]), "unknown-signer at 0");
    const after = [
      { by: "bob", committedMs: 1000, trust: removed },
      { by: "alice", committedMs },
    ];
    assert.equal(verdict(trust, after), "unknown-signer at 1");
  }
});

test("a rule names who must sign which files, and a file that none names is held to all of them", () => {
  const trust = trustIn("range", "alice bob carol", rule("prod/**", 1, "ops"), rule("staging/**", 1, "carol"));
  const table: readonly (readonly [string, string, readonly FileChange[], string])[] = [
    ["ops may change prod", "alice", [file("prod/a.service")], "ok"],
    ["carol may not", "carol", [file("prod/a.service")], "rule-unmet at 0"],
    ["carol may change staging", "carol", [file("staging/a.service")], "ok"],
    ["nobody alone may change what no rule names", "alice", [file("scratch/fleet.yaml")], "rule-unmet at 0"],
    ["unless the spec does not read it", "carol", [file("README.md", "new", false)], "ok"],
    [
      "a rule holds also for what the spec does not read",
      "carol",
      [file("prod/README.md", "new", false)],
      "rule-unmet at 0",
    ],
    ["one wrong file among right ones is enough", "carol", [file("staging/a"), file("prod/a")], "rule-unmet at 0"],
    ["a file that goes is a change", "carol", [file("prod/a", null)], "rule-unmet at 0"],
  ];
  for (const [what, by, changes, expected] of table) assert.equal(verdict(trust, [{ by, changes }]), expected, what);
});

test("two signers of a file are who wrote it on a branch and who merged it unchanged", () => {
  const trust = trustIn("range", "alice bob carol", rule("prod/**", 2, "ops"));
  const written = (by: string | null, oid = "new"): Written => ({ by, changes: [file("prod/a", oid)] });
  const merged = (by: string, ...broughtIn: Written[]): Written => ({ by, broughtIn, changes: [file("prod/a")] });
  const table: readonly (readonly [string, Written, string])[] = [
    ["alice alone", written("alice"), "rule-unmet at 0"],
    ["alice wrote, bob merged", merged("bob", written("alice")), "ok"],
    ["alice wrote and merged", merged("alice", written("alice")), "rule-unmet at 0"],
    ["carol is not of ops", merged("bob", written("carol")), "rule-unmet at 0"],
    [
      "alice signed something else than what bob's merge left",
      merged("bob", written("alice", "other")),
      "rule-unmet at 0",
    ],
    ["what came in is not signed", merged("bob", written(null)), "rule-unmet at 0"],
    ["alice signed another file", merged("bob", { by: "alice", changes: [file("prod/b")] }), "rule-unmet at 0"],
    ["a later version was alice's", merged("bob", written("carol", "older"), written("alice")), "ok"],
  ];
  for (const [what, step, expected] of table) assert.equal(verdict(trust, [step]), expected, what);
  assert.equal(
    verdict(trust, [written("alice"), { by: "bob" }]),
    "rule-unmet at 0",
    "a commit on top is no second signature",
  );
});

test("only what a mode and its rules look at need be gathered", () => {
  const needs = (trust: Trust, isDetour = false) => {
    const { changes, broughtIn } = neededOf(trust, { isDetour, isMerge: true });
    return `${changes ? "changes" : "-"} ${broughtIn ? "side" : "-"}`;
  };
  assert.equal(needs(NO_TRUST, true), "- -");
  assert.equal(needs(trustIn("head", "a"), true), "- -");
  assert.equal(needs(trustIn("range", "a")), "- -");
  assert.equal(needs(trustIn("range", "a"), true), "- side");
  assert.equal(needs(trustIn("strict", "a")), "- side");
  assert.equal(needs(trustIn("range", "a", rule("x"))), "changes -");
  assert.equal(needs(trustIn("range", "a", rule("x", 2))), "changes side");
});

test("at whichever step a machine stops on its way, it comes to the same end", () => {
  const names = ["alice", "bob", null];
  const trusts = [
    undefined,
    NO_TRUST,
    trustIn("range", "alice"),
    trustIn("strict", "bob"),
    trustIn("range", "alice bob"),
  ];
  let compared = 0;
  for (let seed = 0; seed < 3 ** 3 * 5 ** 2; seed++) {
    const steps = [0, 1, 2].map((at): Written => {
      const by = names[Math.floor(seed / 3 ** at) % 3]!;
      const trust = at === 2 ? undefined : trusts[Math.floor(seed / 27 / 5 ** at) % 5];
      return trust === undefined ? { by } : { by, trust };
    });
    const before = trustIn("range", "alice");
    const [first, ...rest] = steps;
    if (verdict(before, [first!]) !== "ok") continue;
    compared++;
    const together = verdict(before, steps) === "ok";
    const apart = verdict(first!.trust ?? before, rest) === "ok";
    assert.equal(together, apart, JSON.stringify({ steps }));
  }
  assert.ok(compared > 100, `${compared}`);
});
