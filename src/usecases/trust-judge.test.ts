import assert from "node:assert/strict";
import { test } from "node:test";
import { FORGE_COMMIT } from "../../test/signed-samples.ts";
import { sshSigner } from "../../test/ssh-signer.ts";
import {
  type MemoryCommitOptions,
  type MemoryFile,
  MemoryGitSource,
  MemoryRepository,
} from "../adapters/memory/memory-git-source.ts";
import { readAllowedSigners } from "../codec/signatures/allowed-signers.ts";
import type { CommitId } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { MachineTrust } from "./commit-trust.ts";
import { TrustJudge } from "./trust-judge.ts";
import { untrustedDetail } from "./untrusted-detail.ts";

const PEOPLE = { alice: sshSigner("alice"), bob: sshSigner("bob"), mallory: sshSigner("mallory") };
type Person = keyof typeof PEOPLE;

const HEAD = "apiVersion: fleet/v1\ncluster: prod\n";
const TRUST = "trust: { signers: trust/signers }\n";
const unit = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;
const signersOf = (...people: Person[]) => `${people.map((name) => PEOPLE[name].line).join("\n")}\n`;
const files = (more: Readonly<Record<string, MemoryFile>> = {}): Readonly<Record<string, MemoryFile>> => ({
  "fleet.yaml": `${HEAD}${TRUST}`,
  "trust/signers": signersOf("alice"),
  "units/a.service": unit("a"),
  ...more,
});

class World {
  readonly repository = new MemoryRepository();
  readonly source = new MemoryGitSource(this.repository, "main");
  #made = 0;

  commit(
    by: Person | null,
    content: Readonly<Record<string, MemoryFile>>,
    parents: readonly CommitId[],
    more: MemoryCommitOptions = {},
  ): CommitId {
    const at = ++this.#made;
    const sign = by === null ? {} : { sign: PEOPLE[by].sign };
    return this.repository.commit(content, { parents, subject: `${at}`, authoredMs: at * 60_000, ...sign, ...more });
  }

  async judge(accepted: CommitId | null, candidate: CommitId, own: MachineTrust | null = null): Promise<string> {
    const judge = new TrustJudge({ source: this.source, manifestPath: "fleet.yaml", own });
    const verdict = await judge.judge(accepted, candidate);
    if (verdict.kind === "accepted") return "accepted";
    if (verdict.kind === "refused") return verdict.reason.code;
    return verdict.kind === "unknown" ? verdict.because : verdict.diagnostics.map(({ code }) => code).join();
  }
}

test("row 78: the range from the accepted commit to the candidate is judged, each by what was in force before it", async () => {
  const world = new World();
  const base = world.commit("alice", files(), []);
  const unsigned = world.commit(null, files({ "units/a.service": unit("b") }), [base]);
  const onTop = world.commit("alice", files({ "units/a.service": unit("c") }), [unsigned]);
  const good = world.commit("alice", files({ "units/a.service": unit("d") }), [base]);
  assert.equal(await world.judge(base, base), "accepted");
  assert.equal(await world.judge(base, good), "accepted");
  assert.equal(await world.judge(base, unsigned), "unsigned");
  assert.equal(await world.judge(base, onTop), "unsigned");
  const wrong = world.commit(null, files(), [base], { sign: () => PEOPLE.alice.sign(Buffer.from("another commit")) });
  assert.equal(await world.judge(base, wrong), "bad-signature");
  assert.equal(await world.judge(base, world.commit("mallory", files(), [base])), "unknown-signer");
});

test("row 80: signers are rotated across commits, one after the other, and nobody lets herself in", async () => {
  const world = new World();
  const base = world.commit("alice", files(), []);
  const both = world.commit("alice", files({ "trust/signers": signersOf("alice", "bob") }), [base]);
  const bobs = world.commit("bob", files({ "trust/signers": signersOf("bob") }), [both]);
  const last = world.commit("bob", files({ "trust/signers": signersOf("bob"), "units/a.service": unit("b") }), [bobs]);
  assert.equal(await world.judge(base, last), "accepted");
  assert.equal(await world.judge(bobs, world.commit("alice", files(), [bobs])), "unknown-signer");
  const letIn = world.commit("mallory", files({ "trust/signers": signersOf("alice", "mallory") }), [base]);
  assert.equal(await world.judge(base, letIn), "unknown-signer");
  assert.equal(await world.judge(base, world.commit("alice", files(), [letIn])), "unknown-signer");
});

test("trust does not end by a commit that nobody trusted signs", async () => {
  const world = new World();
  const base = world.commit("alice", files(), []);
  const { "trust/signers": _gone, ...without } = files();
  const off = { ...without, "fleet.yaml": HEAD };
  assert.equal(await world.judge(base, world.commit(null, off, [base])), "unsigned");
  assert.equal(await world.judge(base, world.commit("alice", off, [base])), "accepted");
  const weaker = files({ "fleet.yaml": `${HEAD}trust: { mode: head, signers: trust/signers }\n` });
  assert.equal(await world.judge(base, world.commit("mallory", weaker, [base])), "unknown-signer");
});

test("a file of signers that is missing or broken is an error of the commit, and locks nobody out", async () => {
  const world = new World();
  const base = world.commit("alice", files(), []);
  const { "trust/signers": _gone, ...missing } = files();
  assert.equal(await world.judge(base, world.commit("alice", missing, [base])), "signers-missing");
  const link = files({ "trust/signers": { kind: "symlink" } });
  assert.equal(await world.judge(base, world.commit("alice", link, [base])), "signers-missing");
  const broken = world.commit("alice", files({ "trust/signers": "alice\n" }), [base]);
  assert.equal(await world.judge(base, broken), "signers-line");
  const huge = files({ "trust/signers": "#".repeat(300_000) });
  assert.equal(await world.judge(base, world.commit("alice", huge, [base])), "signers-unreadable");
  const mended = world.commit("alice", files(), [broken]);
  assert.equal(await world.judge(base, mended), "accepted", "meanwhile what was in force before stays");
  assert.equal(await world.judge(base, world.commit("bob", files(), [broken])), "unknown-signer");
  const unsigned = world.commit(null, files(), [broken]);
  assert.equal(await world.judge(base, world.commit("alice", files(), [unsigned])), "unsigned");
});

test("a pull that merged the branch into something else is looked at whole", async () => {
  const world = new World();
  const root = world.commit("alice", files(), []);
  const accepted = world.commit("alice", files({ "units/a.service": unit("b") }), [root]);
  const local = world.commit(null, files({ "units/b.service": unit("local") }), [root]);
  const pulled = world.commit("alice", files({ "units/b.service": unit("local") }), [local, accepted]);
  const merged = world.commit("alice", files({ "units/b.service": unit("local") }), [accepted, local]);
  assert.equal(await world.judge(accepted, pulled), "unsigned");
  assert.equal(await world.judge(accepted, merged), "accepted", "the other way round the merge vouches for it");
  const after = world.commit("alice", files(), [pulled]);
  assert.equal(await world.judge(accepted, after), "unsigned", "also with others on top");
  const signed = world.commit("alice", files({ "units/b.service": unit("local") }), [root]);
  assert.equal(await world.judge(accepted, world.commit("alice", files(), [signed, accepted])), "accepted");
});

test("what a branch had before it was left is not looked at again, however wrong the clocks were", async () => {
  const world = new World();
  const strict = files({ "fleet.yaml": `${HEAD}trust: { mode: strict, signers: trust/signers }\n` });
  const old = world.commit(null, files(), [], { authoredMs: 900_000_000 });
  const fork = world.commit(null, files(), [old], { authoredMs: 500_000 });
  const accepted = world.commit("alice", strict, [fork], { authoredMs: 1_000_000_000 });
  const side = world.commit("alice", { ...strict, "units/b.service": unit("b") }, [old], { authoredMs: 950_000_000 });
  const merge = world.commit("alice", { ...strict, "units/b.service": unit("b") }, [accepted, side], {
    authoredMs: 1_000_100_000,
  });
  assert.equal(await world.judge(accepted, merge), "accepted");
  const bad = world.commit(null, { ...strict, "units/c.service": unit("c") }, [old], { authoredMs: 100 });
  assert.equal(await world.judge(accepted, world.commit("alice", strict, [merge, bad])), "unsigned");
});

test("rules by path hold for every file the cluster reads, also where the manifest begins to read it", async () => {
  const world = new World();
  const manifest = (paths: string) =>
    `${HEAD}paths: [${paths}]\ntrust: { signers: trust/signers, rules: [{ paths: [units/**], signers: [bob] }, { paths: [fleet.yaml, trust/**], signers: [alice] }] }\n`;
  const ruled = {
    ...files(),
    "trust/signers": signersOf("alice", "bob"),
    "fleet.yaml": manifest("units"),
    "extra/x.service": unit("x"),
  };
  const base = world.commit("alice", ruled, []);
  const change = (by: Person, more: Readonly<Record<string, MemoryFile>>) =>
    world.judge(base, world.commit(by, { ...ruled, ...more }, [base]));
  assert.equal(await change("bob", { "units/a.service": unit("b") }), "accepted");
  assert.equal(await change("alice", { "units/a.service": unit("b") }), "rule-unmet");
  assert.equal(await change("bob", { "trust/signers": signersOf("bob") }), "rule-unmet");
  assert.equal(await change("alice", { "extra/x.service": unit("y") }), "accepted", "nothing reads it");
  assert.equal(await change("alice", { "fleet.yaml": manifest("units, extra") }), "rule-unmet", "now it is read");
  assert.equal(await change("alice", { "fleet.yaml": manifest("units, tools") }), "accepted");
});

test("two people sign a file by one writing it on a branch and another merging it", async () => {
  const world = new World();
  const two = files({
    "trust/signers": signersOf("alice", "bob"),
    "fleet.yaml": `${HEAD}trust: { signers: trust/signers, rules: [{ paths: [units/**], count: 2 }] }\n`,
  });
  const base = world.commit("alice", two, []);
  const changed = { ...two, "units/a.service": unit("b") };
  const branch = world.commit("alice", changed, [base]);
  assert.equal(await world.judge(base, branch), "rule-unmet");
  assert.equal(await world.judge(base, world.commit("bob", changed, [base, branch])), "accepted");
  assert.equal(await world.judge(base, world.commit("alice", changed, [base, branch])), "rule-unmet");
  const evil = { ...two, "units/a.service": unit("evil") };
  assert.equal(await world.judge(base, world.commit("bob", evil, [base, branch])), "rule-unmet");
});

test("a machine's own signers count in place of the repository's, whatever it says", async () => {
  const world = new World();
  const { signers } = readAllowedSigners("own", Buffer.from(signersOf("bob")));
  const own: MachineTrust = { mode: "range", signers };
  const base = world.commit("mallory", { ...files(), "fleet.yaml": HEAD }, []);
  const next = (by: Person | null, content = files()) => world.commit(by, content, [base]);
  assert.equal(await world.judge(base, next("bob"), own), "accepted");
  assert.equal(await world.judge(base, next("alice"), own), "unknown-signer");
  assert.equal(await world.judge(base, next(null, { ...files(), "fleet.yaml": HEAD }), own), "unsigned");
  assert.equal(await world.judge(null, base, own), "unknown-signer", "also of the first it sees");
  assert.equal(await world.judge(null, next("bob"), own), "accepted");
});

test("the first commit a machine sees is judged by the one before it, and without trust is not", async () => {
  const world = new World();
  const off = world.commit(null, { ...files(), "fleet.yaml": HEAD }, []);
  assert.equal(await world.judge(null, off), "accepted");
  const on = world.commit("alice", files(), [off]);
  assert.equal(await world.judge(null, on), "accepted");
  assert.equal(await world.judge(null, world.commit(null, files(), [off])), "unsigned");
  const handedOver = world.commit("alice", files({ "trust/signers": signersOf("bob") }), [on]);
  assert.equal(await world.judge(null, handedOver), "accepted");
  assert.equal(await world.judge(null, world.commit("alice", files(), [handedOver])), "unknown-signer");
  assert.equal(await world.judge(null, world.commit("alice", files(), [])), "accepted", "a first commit of all");
});

test("a history that ends too early is unknown, and what cannot be reached is an error", async () => {
  const world = new World();
  const base = world.commit("alice", files(), []);
  const gone = world.commit("alice", files({ "units/a.service": unit("b") }), [base]);
  const tip = world.commit("alice", files(), [gone]);
  world.repository.commits.delete(gone);
  assert.equal(await world.judge(base, tip), "too-short");
  const judge = new TrustJudge({ source: world.source, manifestPath: "fleet.yaml", own: null });
  world.source.down = true;
  await assert.rejects(judge.judge(base, world.commit("alice", files(), [base])), OperationError);
});

test("a forge's signature counts where the manifest opts in", async () => {
  const world = new World();
  const opted = files({ "fleet.yaml": `${HEAD}trust: { signers: trust/signers, forgeKeys: [github-web-flow] }\n` });
  for (const [content, expected] of [[files(), "forge-not-allowed"] as const, [opted, "accepted"] as const]) {
    const base = world.commit("alice", content, []);
    const merge = world.commit("alice", content, [base]);
    const { source } = world;
    const forged = {
      listFiles: source.listFiles.bind(source),
      readBlob: source.readBlob.bind(source),
      changedFiles: source.changedFiles.bind(source),
      isAncestor: source.isAncestor.bind(source),
      // The bytes GitHub signed, with this history's parent in the walk's place of the one they name.
      readCommit: async (commit: CommitId) =>
        commit === merge ? Buffer.from(FORGE_COMMIT, "latin1") : source.readCommit(commit),
    };
    const named = "b4c6b91da496e4f8b5c114bad1031c8f8eddd320" as CommitId;
    world.repository.commits.set(named, world.repository.commits.get(base)!);
    const judge = new TrustJudge({ source: forged, manifestPath: "fleet.yaml", own: null });
    const verdict = await judge.judge(named, merge);
    assert.equal(verdict.kind === "refused" ? verdict.reason.code : verdict.kind, expected);
  }
});

test("what is wrong is said in words, with the commit and the next step", async () => {
  const world = new World();
  const base = world.commit("alice", files(), []);
  const bad = world.commit("mallory", files(), [base]);
  const judge = new TrustJudge({ source: world.source, manifestPath: "fleet.yaml", own: null });
  const verdict = await judge.judge(base, bad);
  assert.ok(verdict.kind === "refused");
  const { code, detail, next } = untrustedDetail(verdict);
  assert.equal(code, "untrusted");
  assert.match(
    detail,
    new RegExp(`^commit ${bad.slice(0, 12)} is signed with a key that may not sign, SHA256:[^ ]{43}$`),
  );
  assert.match(next, /first add the key in a commit that one of them signs$/);
});

test("a thousand signed commits are verified in a second of one processor, each of them read once", async () => {
  const world = new World();
  const base = world.commit("alice", files(), []);
  let tip = base;
  for (let at = 0; at < 1000; at++) tip = world.commit("alice", files({ "units/a.service": unit(`${at}`) }), [tip]);
  const { source } = world;
  let reads = 0;
  const counting = Object.assign(Object.create(source) as typeof source, {
    readCommit: (commit: CommitId) => {
      reads++;
      return source.readCommit(commit);
    },
    listFiles: source.listFiles.bind(source),
    readBlob: source.readBlob.bind(source),
  });
  const judge = new TrustJudge({ source: counting, manifestPath: "fleet.yaml", own: null });
  const before = process.cpuUsage();
  assert.equal((await judge.judge(base, tip)).kind, "accepted");
  const { user, system } = process.cpuUsage(before);
  assert.equal(reads, 1001);
  assert.ok(user + system < 1_000_000, `${Math.round((user + system) / 1000)} ms`);
  const next = world.commit("alice", files(), [tip]);
  assert.equal((await judge.judge(base, next)).kind, "accepted");
  assert.equal(reads, 1002, "and of the next range only what is new");
});
