/** An engine that follows the branch, and rows 67, 72, 73, 75 to 78, 80, 87 and 88 of the faults where nobody says apply. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryFile } from "../../src/adapters/memory/memory-git-source.ts";
import { readReport } from "../../src/codec/read-report.ts";
import { decodeSyncAnswer, encodeSyncAsk, type SyncAnswer } from "../../src/codec/sync-record.ts";
import type { Release } from "../../src/domain/cluster/cluster-snapshot.ts";
import { APPLY_LOCK } from "../../src/domain/locks/lock.ts";
import type { CommitId } from "../../src/domain/names.ts";
import { thingsOf } from "../../src/domain/notify/thing.ts";
import type { SyncReport } from "../../src/domain/report/sync-report.ts";
import { APPROVALS_PREFIX, approvalText } from "../../src/domain/sync/judge-approval.ts";
import type { HeldReason } from "../../src/domain/sync/judge-sync.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import { LapseWatch } from "../../src/usecases/lapse-watch.ts";
import { releaseLock } from "../../src/usecases/release-lock.ts";
import { takeLock } from "../../src/usecases/take-lock.ts";
import { type SshSigner, sshSigner } from "../ssh-signer.ts";

const INTERVAL_MS = 5_000;
/** An interval with its jitter, and what an engine needs for a pass or two. */
const ONE_POLL_MS = INTERVAL_MS * 1.1 + 1_500;
const ALICE = sshSigner("alice");
const BOB = sshSigner("bob");
const MALLORY = sshSigner("mallory");
const SLEEPER = "[Service]\nExecStart=/bin/sleep infinity\n";

function manifest(release: string, more = ""): string {
  return `apiVersion: fleet/v1\ncluster: sim\nadmit: any\nrelease: { ${release} }\nsync: { interval: 5s }\n${more}`;
}

function units(count: number, text = SLEEPER): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`units/u${index}.service`, text]));
}

class Followed {
  readonly sim = new SimCluster({ seed: 1, machines: 3, engines: 2, cluster: "sim" });
  readonly release: string;
  readonly more: string;
  readonly signer: SshSigner | null;

  constructor(release: string, signer: SshSigner | null = null) {
    this.release = release;
    this.signer = signer;
    this.more = signer === null ? "" : "trust: { signers: trust/signers }\n";
  }

  push(files: Readonly<Record<string, MemoryFile>>, by = this.signer): CommitId {
    const own = { "fleet.yaml": manifest(this.release, this.more), "trust/signers": `${ALICE.line}\n` };
    const sign = by === null ? {} : { sign: by.sign };
    return this.sim.repository.push("main", { ...own, ...files }, "", sign);
  }

  /** The first release is somebody's deed: it makes the cluster. */
  async begin(files: Readonly<Record<string, MemoryFile>>): Promise<CommitId> {
    const commit = this.push(files);
    this.sim.start();
    await this.sim.clock.advance(5_000);
    assert.equal((await this.sim.apply(commit)).kind, "released");
    await this.sim.clock.advance(10_000);
    return commit;
  }

  async inForce(): Promise<Release> {
    return (await this.sim.snapshot()).release!;
  }

  async said(): Promise<SyncReport> {
    const entry = (await this.sim.registry.list(this.sim.keys.report, { exact: true })).entries[0];
    return readReport(entry?.value ?? "")?.sync ?? {};
  }

  async heldReason(): Promise<HeldReason | undefined> {
    return (await this.said()).held?.reason;
  }

  approve(contentId: string, clusterId: string, by: SshSigner | null, ref = contentId, allowsDeletes = true): void {
    const subject = approvalText(contentId, clusterId, allowsDeletes).slice(0, -1);
    const sign = by === null ? {} : { sign: by.sign };
    this.sim.repository.refs.set(`${APPROVALS_PREFIX}${ref}`, this.sim.repository.commit({}, { subject, ...sign }));
  }

  /** After one poll; the release must be that commit's. */
  async follows(commit: CommitId): Promise<void> {
    await this.sim.clock.advance(ONE_POLL_MS);
    assert.equal((await this.inForce()).commit, commit);
    assert.deepEqual(await this.said(), {});
  }

  /** After one poll the release is as it was, nothing that ran has stopped, and status says why. */
  async holds(inForce: CommitId, code: HeldReason["code"]): Promise<HeldReason> {
    await this.sim.clock.advance(ONE_POLL_MS);
    assert.equal((await this.inForce()).commit, inForce);
    const reason = await this.heldReason();
    assert.equal(reason?.code, code);
    assert.equal((await this.sim.convergence())?.converged, true);
    return reason!;
  }
}

test("a push is the release one poll later, nobody typing, and runs; an idle follower writes nothing", async () => {
  const followed = new Followed("by: sync");
  await followed.begin(units(3));
  const commit = followed.push(units(4));
  await followed.follows(commit);
  await followed.sim.clock.advance(20_000);
  assert.equal((await followed.sim.convergence())?.converged, true);
  const { by, seq, driver } = await followed.inForce();
  assert.deepEqual([seq, driver, /^engine-/.test(by)], [2, "sync", true]);
  const { revision } = followed.sim.store;
  await followed.sim.clock.advance(600_000);
  assert.equal(followed.sim.store.revision, revision);
  await followed.sim.end();
});

test("with that driver an apply of another commit is refused by name, of the one in force it is harmless", async () => {
  const followed = new Followed("by: sync");
  const first = await followed.begin(units(3));
  for (const machine of followed.sim.machines) machine.crashEngine();
  const commit = followed.push(units(4));
  await assert.rejects(followed.sim.apply(commit), { code: "other-driver" });
  assert.equal((await followed.sim.apply(first)).kind, "already");
  await followed.sim.end();
});

test("a commit may hand the driving over, and back by another apply", async () => {
  const followed = new Followed("by: sync");
  await followed.begin(units(3));
  const handed = followed.push({ ...units(3), "fleet.yaml": manifest("by: apply").replace(/^sync.*\n/m, "") });
  await followed.follows(handed);
  const ignored = followed.push(units(4));
  await followed.sim.clock.advance(60_000);
  assert.equal((await followed.inForce()).commit, handed);
  assert.equal((await followed.sim.apply(ignored)).kind, "released");
  await followed.follows(followed.push(units(5)));
  await followed.sim.end();
});

test("a leader that dies with the commit half released: the next one goes on, and there is one release of it", async () => {
  const followed = new Followed("by: sync");
  await followed.begin(units(3));
  const { machines, clock } = followed.sim;
  const leads = machines.slice(0, 2).map((machine) => machine.pauseEngineAtWrite.bind(machine));
  const commit = followed.push(units(4));
  // Whichever leads stops at its first write of the release, and is killed there.
  leads.forEach((pauseAtWrite, index) => void pauseAtWrite(() => machines[index]!.crashEngine()));
  await clock.advance(ONE_POLL_MS);
  assert.notEqual((await followed.inForce()).commit, commit, "it died before it");
  for (const machine of machines.slice(0, 2)) {
    machine.crashEngine();
    machine.startEngine();
  }
  // The lock of the one that died is not waited for: it is of an earlier term.
  await clock.advance(30_000);
  const { commit: now, seq } = await followed.inForce();
  assert.deepEqual([now, seq], [commit, 2]);
  await followed.sim.end();
});

test("row 77: a commit that removes everything, or a quarter, is held and said, and goes once it is approved", async () => {
  const followed = new Followed("by: sync", ALICE);
  const first = await followed.begin(units(8));
  const many = followed.push(units(4));
  const reason = await followed.holds(first, "deletes");
  assert.ok(reason.code === "deletes");
  assert.deepEqual([reason.stopped, reason.of], [4, 8]);
  const { identity } = await followed.sim.snapshot();
  followed.approve(reason.contentId, identity!.id, ALICE, reason.contentId, false);
  const unsaid = await followed.holds(first, "approval-refused");
  assert.ok(unsaid.code === "approval-refused" && /does not say that they may/.test(unsaid.detail));
  followed.approve(reason.contentId, identity!.id, ALICE);
  await followed.follows(many);
  followed.push({ "units/.gitkeep": "" });
  const all = await followed.holds(many, "empties");
  assert.ok(all.code === "empties");
  followed.approve(reason.contentId, identity!.id, ALICE, all.contentId);
  await followed.holds(many, "approval-refused");
  followed.approve(all.contentId, "another cluster", ALICE);
  await followed.holds(many, "approval-refused");
  followed.approve(all.contentId, identity!.id, MALLORY);
  await followed.holds(many, "approval-refused");
  followed.approve(all.contentId, identity!.id, null);
  await followed.holds(many, "approval-refused");
  // Back on the branch by a commit that brings all of it again: nothing was lost.
  await followed.follows(followed.push(units(8)));
  await followed.sim.end();
});

test("guards are those of the release in force: a commit does not loosen what it is held by", async () => {
  const followed = new Followed("by: sync, maxRestarts: 1");
  const first = await followed.begin(units(3));
  const changed = `${SLEEPER}Environment=A=1\n`;
  followed.push({ ...units(3, changed), "fleet.yaml": manifest("by: sync, maxRestarts: 100") });
  const reason = await followed.holds(first, "restarts");
  assert.ok(reason.code === "restarts");
  assert.deepEqual([reason.count, reason.max], [3, 1]);
  await followed.follows(followed.push({ ...units(3), "units/u0.service": changed }));
  await followed.sim.end();
});

test("by approval every change waits for somebody's word, and a commit of the same texts for nobody's", async () => {
  const followed = new Followed("by: approval", ALICE);
  const first = await followed.begin(units(3));
  const readme = followed.push({ ...units(3), "README.md": "news" });
  await followed.follows(readme);
  assert.notEqual(first, readme);
  const commit = followed.push(units(4));
  const reason = await followed.holds(readme, "approval");
  assert.ok(reason.code === "approval");
  followed.approve(reason.contentId, (await followed.sim.snapshot()).identity!.id, ALICE);
  await followed.follows(commit);
  await followed.sim.end();
});

test("where a rule of the files that change asks for two people, two approve", async () => {
  const followed = new Followed("by: approval", ALICE);
  const { sim } = followed;
  const people = [ALICE, BOB].map(({ line }) => line).join("\n");
  const rules =
    "trust: { signers: trust/signers, mode: head, rules: [{ paths: [units], count: 2 }, { paths: ['**'] }] }\n";
  const files = (count: number) => ({
    ...{ "fleet.yaml": manifest("by: approval", rules), "trust/signers": `${people}\n` },
    ...units(count),
  });
  // One writes it on a branch, another merges it: so far the commit itself.
  const push = (count: number) => {
    const parent = sim.repository.branches.get("main");
    const base = parent === undefined ? [] : [parent];
    const written = sim.repository.commit(files(count), { parents: base, subject: "write", sign: ALICE.sign });
    return sim.repository.push("main", files(count), "merge", { parents: [...base, written], sign: BOB.sign });
  };
  const first = push(3);
  sim.start();
  await sim.clock.advance(5_000);
  await sim.apply(first);
  await sim.clock.advance(10_000);
  const second = push(4);
  const reason = await followed.holds(first, "approval");
  assert.ok(reason.code === "approval");
  const { contentId } = reason;
  const { identity } = await sim.snapshot();
  followed.approve(contentId, identity!.id, ALICE);
  const alone = await followed.holds(first, "approval-refused");
  assert.ok(alone.code === "approval-refused");
  assert.match(alone.detail, /^the rule of units asks for 2 approvals of different people; it is approved by alice/);
  followed.approve(contentId, identity!.id, BOB, `${contentId}.2`);
  await followed.follows(second);
  await sim.end();
});

test("row 76: a branch that is gone, or without a manifest, is never read as nothing being wanted", async () => {
  const followed = new Followed("by: sync");
  const first = await followed.begin(units(3));
  const { repository, clock } = followed.sim;
  repository.setBranch("main", null);
  await clock.advance(30_000);
  assert.equal((await followed.said()).trouble?.code, "branch-missing");
  assert.equal((await followed.sim.convergence())?.converged, true);
  repository.setBranch("main", first);
  followed.sim.repository.push("main", { "README.md": "all gone" });
  const reason = await followed.holds(first, "invalid");
  assert.ok(reason.code === "invalid");
  assert.equal(reason.problem, "manifest-missing");
  await followed.follows(followed.push(units(4)));
  await followed.sim.end();
});

test("row 67 and 75: a source that is away is said, after long as a frozen one, and one poll after it is back all is well", async () => {
  const followed = new Followed("by: sync");
  await followed.begin(units(3));
  const { machines, clock } = followed.sim;
  for (const machine of machines) machine.engineSource.down = true;
  const commit = followed.push(units(4));
  await clock.advance(30_000);
  const { trouble } = await followed.said();
  assert.deepEqual([trouble?.code, trouble?.isFrozen], ["source-unreachable", undefined]);
  await clock.advance(1_000_000);
  assert.equal((await followed.said()).trouble?.isFrozen, true);
  for (const machine of machines) machine.engineSource.down = false;
  await followed.follows(commit);
  await followed.sim.end();
});

test("row 75: a branch that is served, and stands still for too long, is a frozen one: told, and over with the next commit", async () => {
  const followed = new Followed("by: sync");
  const { sim } = followed;
  const aged = manifest("by: sync").replace("interval: 5s", "interval: 5s, maxAge: 2h");
  const push = (count: number) =>
    sim.repository.push("main", { "fleet.yaml": aged, ...units(count) }, "", { authoredMs: sim.clock.wallMs() });
  const first = push(3);
  sim.start();
  await sim.clock.advance(5_000);
  await sim.apply(first);
  await sim.clock.advance(3_600_000);
  assert.deepEqual(await followed.said(), {});
  await sim.clock.advance(3_700_000);
  const { trouble } = await followed.said();
  assert.deepEqual([trouble?.code, trouble?.isFrozen], ["branch-old", true]);
  assert.match(trouble?.detail ?? "", /^the last commit, \w{12}, is of 2026-01-01T00:00:00.000Z; /);
  const report = (await sim.registry.list(sim.keys.report, { exact: true })).entries[0];
  const things = thingsOf(first, readReport(report!.value), []);
  assert.deepEqual(
    things.map(({ event }) => event),
    ["stale"],
    "and somebody is told",
  );
  const { revision } = sim.store;
  await sim.clock.advance(60_000);
  assert.equal(sim.store.revision, revision, "once");
  const second = push(4);
  await followed.follows(second);
  await sim.end();
});

test("row 75: whoever is served an old state learns it from what others took, within one look", async () => {
  const followed = new Followed("by: sync");
  const first = await followed.begin(units(3));
  const second = followed.push(units(4));
  await followed.follows(second);
  const { machines, clock } = followed.sim;
  for (const { engineSource } of machines) engineSource.stale = first;
  await followed.holds(second, "behind");
  for (const { engineSource } of machines) engineSource.stale = null;
  // A machine whose own source is pinned: the release names what it is not shown.
  machines[2]!.source.stale = second;
  await followed.follows(followed.push(units(5)));
  await clock.advance(5_000);
  const [, , pinned] = (await followed.sim.snapshot()).members;
  assert.equal(pinned?.problem?.code, "not-on-branch");
  await followed.sim.end();
});

test("row 72 and 73: a branch that was rewritten or set back is not followed, and said", async () => {
  const followed = new Followed("by: sync");
  const first = await followed.begin(units(3));
  const second = followed.push(units(4));
  await followed.follows(second);
  const { repository } = followed.sim;
  repository.setBranch("main", first);
  await followed.holds(second, "behind");
  repository.setBranch("main", null);
  followed.push(units(1));
  await followed.holds(second, "not-a-descendant");
  repository.setBranch("main", second);
  await followed.follows(second);
  await followed.sim.end();
});

test("a branch that was set back is followed where somebody orders it on the engine's machine, to that commit alone", async () => {
  const followed = new Followed("by: sync");
  const first = await followed.begin(units(3));
  const second = followed.push(units(4));
  await followed.follows(second);
  const { repository, machines } = followed.sim;
  repository.setBranch("main", first);
  await followed.holds(second, "behind");
  const order = { by: "ann", why: "four were one too many", at: "2026-01-01T00:00:00.000Z" };
  for (const { rewinds } of machines) await rewinds.write({ ...order, commit: second });
  await followed.holds(second, "behind");
  for (const { rewinds } of machines) await rewinds.write({ ...order, commit: first });
  await followed.follows(first);
  await followed.sim.clock.advance(10_000);
  assert.equal((await followed.inForce()).seq, 3);
  assert.equal((await followed.sim.convergence())?.converged, true);
  await followed.follows(followed.push(units(5)));
  await followed.sim.end();
});

test("row 78 and 80: what is not signed by who may, or brings its own signers, is held before it is compiled", async () => {
  const followed = new Followed("by: sync", ALICE);
  const first = await followed.begin(units(3));
  followed.push(units(4), null);
  await followed.holds(first, "untrusted");
  followed.sim.repository.setBranch("main", first);
  followed.push({ ...units(4), "trust/signers": `${MALLORY.line}\n` }, MALLORY);
  await followed.holds(first, "untrusted");
  followed.sim.repository.setBranch("main", first);
  await followed.follows(followed.push(units(4)));
  await followed.sim.end();
});

test("row 88: whoever holds the lock of those who apply is waited for and named, and then there is one release", async () => {
  const followed = new Followed("by: sync");
  const first = await followed.begin(units(3));
  const before = await followed.inForce();
  const { registry, keys, clock } = followed.sim;
  const ports = { registry, keys, clock, newId: () => followed.sim.newId() };
  const wish = {
    name: APPLY_LOCK,
    holder: "ci",
    by: "ci",
    reason: "maintenance",
    slots: 1,
    forMs: 900_000,
    queues: false,
  };
  await takeLock(ports, wish, new LapseWatch(clock));
  const commit = followed.push(units(4));
  assert.deepEqual(await followed.holds(first, "locked"), { code: "locked", by: "ci" });
  await releaseLock(ports, APPLY_LOCK, "ci");
  await followed.follows(commit);
  const after = await followed.inForce();
  assert.deepEqual([after.seq, after.parent], [before.seq + 1, before.contentId]);
  await followed.sim.end();
});

test("row 87: engines and machines whose mirrors lag are each of one piece, and no unit runs twice", async () => {
  const followed = new Followed("by: sync");
  const of = (version: string) =>
    Object.fromEntries(
      ["a", "b", "c"].map((name) => [`units/${name}.service`, `[Service]\nExecStart=/bin/server ${version}\n`]),
    );
  const first = await followed.begin(of("one"));
  const { machines, clock, registry, keys } = followed.sim;
  const running = () =>
    machines.flatMap(({ manager }) => [...manager.running()].map(([unit, { text }]) => [unit, text.includes("two")]));
  const lagging = machines.filter(({ manager }) => manager.running().size > 0)[0]!;
  const leader = async () => {
    const { entries } = await registry.list(keys.leader, { exact: true });
    return machines.find(({ id }) => id === (entries[0] === undefined ? "" : JSON.parse(entries[0].value).machine))!;
  };
  const leads = await leader();
  leads.engineSource.stale = first;
  lagging.source.stale = first;
  const second = followed.push(of("two"));
  // Whoever leads sees nothing new, and the other one may not say so.
  await clock.advance(ONE_POLL_MS);
  assert.equal((await followed.inForce()).commit, first);
  leads.crashEngine();
  for (let at = 0; at < 60; at++) {
    await clock.advance(500);
    const units = running().map(([unit]) => unit);
    assert.deepEqual([...new Set(units)].sort(), units.sort(), "nobody runs what another one runs");
  }
  assert.equal((await followed.inForce()).commit, second);
  const member = (await followed.sim.snapshot()).members.find(({ id }) => id === lagging.id);
  assert.equal(member?.problem?.code, "not-on-branch");
  const old = [...lagging.manager.running().values()].map(({ text }) => text.includes("two"));
  assert.ok(old.length > 0 && !old.includes(true), "it keeps the whole of what it took");
  // The one that was ahead goes, and the one that lags leads again: it cannot read the release, and sets nothing back.
  leads.startEngine();
  (await leader()).crashEngine();
  await clock.advance(60_000);
  assert.equal((await followed.inForce()).commit, second);
  leads.engineSource.stale = null;
  lagging.source.stale = null;
  for (const machine of machines.slice(0, 2)) machine.startEngine();
  await clock.advance(60_000);
  assert.deepEqual(
    running().filter(([, isNew]) => isNew !== true),
    [],
  );
  assert.equal(running().length, 3);
  assert.equal((await followed.sim.convergence())?.converged, true);
  await followed.sim.end();
});

test("whoever asks for a look now has it at once, and is answered", async () => {
  const followed = new Followed("by: sync");
  const first = await followed.begin(units(3));
  const { registry, keys, clock } = followed.sim;
  const ask = async (id: string): Promise<SyncAnswer> => {
    const value = encodeSyncAsk({ id, by: "ann", at: "2026-01-01T00:00:00.000Z" });
    await registry.txn({ when: [], then: [{ kind: "put", key: keys.syncNow, value }] });
    await clock.advance(1_000);
    assert.deepEqual((await registry.list(keys.syncNow, { exact: true })).entries, []);
    const decoded = decodeSyncAnswer((await registry.list(keys.syncAnswer, { exact: true })).entries[0]!.value);
    assert.ok(decoded.kind === "record");
    return decoded.record;
  };
  assert.deepEqual(await ask("one"), { ask: "one", kind: "nothing-new", commit: first });
  const commit = followed.push(units(4));
  assert.deepEqual(await ask("two"), { ask: "two", kind: "released", commit, seq: 2 });
  await followed.sim.end();
});
