/** Rows 72 to 74 and 78 to 80 of the faults: what is pushed, or written into the registry, by somebody who may not say what runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../../src/adapters/memory/memory-file-store.ts";
import { MemoryGitSource } from "../../src/adapters/memory/memory-git-source.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import { readReport } from "../../src/codec/read-report.ts";
import type { CommitId } from "../../src/domain/names.ts";
import { NO_TRUST } from "../../src/domain/trust/trust-policy.ts";
import type { OperationError } from "../../src/ports/operation-error.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";
import { AGENT_FOLDERS } from "../../src/usecases/agent-files.ts";
import { applyPlan } from "../../src/usecases/apply-plan.ts";
import { sshSigner } from "../ssh-signer.ts";

const PEOPLE = { alice: sshSigner("alice"), bob: sshSigner("bob"), mallory: sshSigner("mallory") };
type Person = keyof typeof PEOPLE;

/** What somebody says of history who only wants to write: all led to that commit. */
class Liar extends MemoryGitSource {
  forced: CommitId | null = null;

  override async isAncestor(ancestor: CommitId, descendant: CommitId): Promise<"yes" | "no" | "unknown"> {
    if (descendant === this.forced) return "yes";
    // Nor was it ever applied.
    return ancestor === this.forced ? "no" : super.isAncestor(ancestor, descendant);
  }
}

class Cluster {
  readonly sim = new SimCluster({ seed: 1, machines: 3, engines: 1, cluster: "sim" });

  /** A commit on that parent (default: main's tip), and main at it; `text` is what the unit runs. */
  push(by: Person | null, text: string, more: { signers?: string; trust?: string; onto?: CommitId } = {}): CommitId {
    const { signers = PEOPLE.alice.line, trust = "trust: { signers: trust/signers }\n", onto } = more;
    const files = {
      "fleet.yaml": `apiVersion: fleet/v1\ncluster: sim\nadmit: any\n${trust}`,
      "trust/signers": `${signers}\n`,
      "units/web.service": `[Service]\nExecStart=/bin/server ${text}\n[X-Fleet]\nGlobal=true\n`,
    };
    const parents = onto === undefined ? {} : { parents: [onto] };
    return this.sim.repository.push("main", files, text, { ...parents, ...(by && { sign: PEOPLE[by].sign }) });
  }

  /** As somebody releases it who can write into the registry, and asks nobody. */
  async force(commit: CommitId): Promise<void> {
    const planned = await this.sim.plan(commit);
    assert.ok(planned.kind === "planned");
    const { registry, keys, repository, clock } = this.sim;
    const source = new Liar(repository, "main");
    source.forced = commit;
    const place = {
      source,
      sourceName: "",
      branch: "main",
      manifest: "fleet.yaml",
    };
    const trust = { judge: async () => ({ kind: "accepted" as const, trust: NO_TRUST }) };
    const { plan, spec } = planned;
    const newId = () => this.sim.newId();
    await applyPlan({ ...place, registry, keys, trust, plan, spec, by: "mallory", clock, newId, sha256 });
    await clock.advance(15_000);
  }

  async apply(commit: CommitId): Promise<void> {
    assert.equal((await this.sim.apply(commit)).kind, "released");
    await this.sim.clock.advance(15_000);
  }

  /** What each machine took last, and why not more. */
  async taken(): Promise<readonly string[]> {
    const { members } = await this.sim.snapshot();
    return members.map(({ acceptedSeq, problem }) => `${acceptedSeq} ${problem?.code ?? "-"}`);
  }

  hashes(): string {
    return JSON.stringify(this.sim.machines.map(({ manager }) => [...manager.running()].sort()));
  }
}

async function started(): Promise<{ readonly cluster: Cluster; readonly first: CommitId }> {
  const cluster = new Cluster();
  cluster.sim.start();
  await cluster.sim.clock.advance(5_000);
  const first = cluster.push("alice", "one");
  await cluster.apply(first);
  assert.deepEqual(await cluster.taken(), ["1 -", "1 -", "1 -"]);
  assert.match(cluster.hashes(), /server one/);
  return { cluster, first };
}

const refused = (text: string) => new RegExp(`${text}`);

test("row 78: what nobody signed who may is refused by apply, and by each machine where the registry is written anyway", async () => {
  const { cluster } = await started();
  const running = cluster.hashes();
  const evil = cluster.push("mallory", "evil");
  await assert.rejects(cluster.sim.apply(evil), (error: OperationError) => {
    assert.equal(error.code, "untrusted");
    assert.match(error.message, refused("is signed with a key that may not sign"));
    return true;
  });
  await cluster.force(evil);
  assert.deepEqual(await cluster.taken(), ["1 untrusted", "1 untrusted", "1 untrusted"]);
  assert.equal(cluster.hashes(), running, "and what ran runs on");
  const { members } = await cluster.sim.snapshot();
  assert.match(
    members[0]!.problem!.detail,
    refused(`^commit ${evil.slice(0, 12)} is signed with a key that may not sign, SHA256:`),
  );
});

test("row 78: a bad commit inside the range is refused with it, and one without it on the same base is taken", async () => {
  const { cluster, first } = await started();
  cluster.push(null, "unsigned");
  await cluster.force(cluster.push("alice", "on top of it"));
  assert.deepEqual(await cluster.taken(), ["1 untrusted", "1 untrusted", "1 untrusted"]);
  await cluster.force(cluster.push("alice", "rebased", { onto: first }));
  assert.deepEqual(await cluster.taken(), ["3 -", "3 -", "3 -"]);
});

test("row 80: a file of signers is not judged by itself, and neither is the end of trust", async () => {
  const { cluster, first } = await started();
  const lets = { signers: `${PEOPLE.alice.line}\n${PEOPLE.mallory.line}` };
  await cluster.force(cluster.push("mallory", "let me in", lets));
  await cluster.force(cluster.push("mallory", "and run this", lets));
  await cluster.force(cluster.push(null, "no trust at all", { trust: "", onto: first }));
  assert.deepEqual(await cluster.taken(), ["1 untrusted", "1 untrusted", "1 untrusted"]);
});

test("signers are rotated while a machine is away, and it takes what they sign when it is back", async () => {
  const { cluster } = await started();
  const away = cluster.sim.machines[2]!;
  await away.stopAgent();
  const both = { signers: `${PEOPLE.alice.line}\n${PEOPLE.bob.line}` };
  await cluster.apply(cluster.push("alice", "bob too", both));
  await cluster.apply(cluster.push("bob", "bob alone", { signers: PEOPLE.bob.line }));
  const last = cluster.push("bob", "two", { signers: PEOPLE.bob.line });
  await cluster.apply(last);
  away.startAgent();
  await cluster.sim.clock.advance(15_000);
  assert.deepEqual(await cluster.taken(), ["4 -", "4 -", "4 -"]);
  await cluster.force(cluster.push("alice", "alice again", { signers: PEOPLE.bob.line }));
  assert.deepEqual(await cluster.taken(), ["4 untrusted", "4 untrusted", "4 untrusted"]);
});

test("row 72 and 73: history that is rewritten, or set back to an older signed commit, is refused whoever signed it", async () => {
  const { cluster, first } = await started();
  await cluster.apply(cluster.push("alice", "two"));
  const rewritten = cluster.push("alice", "another two", { onto: first });
  await assert.rejects(cluster.sim.apply(rewritten), { code: "not-a-descendant" });
  cluster.sim.repository.setBranch("main", first);
  assert.equal((await cluster.sim.apply(first)).kind, "already");
  for (const commit of [rewritten, first]) {
    cluster.sim.repository.setBranch("main", commit);
    await cluster.force(commit);
    assert.deepEqual(await cluster.taken(), ["2 not-a-descendant", "2 not-a-descendant", "2 not-a-descendant"]);
  }
});

/** As an administrator who deletes what fleet remembers on that machine, or a thief of its disk who puts it back empty. */
async function forget(cluster: Cluster, index: number): Promise<void> {
  const machine = cluster.sim.machines[index]!;
  await machine.stopAgent();
  const { state } = AGENT_FOLDERS;
  for (const folder of [state, `${state}/units`])
    for (const name of machine.files.names(folder)) await machine.files.remove(`${folder}/${name}`);
  machine.crashEngine();
  machine.engineFiles = new MemoryFileStore();
}

function awaken(cluster: Cluster, index: number): void {
  const machine = cluster.sim.machines[index]!;
  machine.startAgent();
  if (cluster.sim.hasEngine(machine)) machine.startEngine();
}

async function problemOfEngine({ sim }: Cluster): Promise<string> {
  const entry = (await sim.registry.list(sim.keys.report, { exact: true })).entries[0];
  return readReport(entry?.value ?? "")?.problem ?? "";
}

test("row 74: a machine whose state was deleted does not follow a branch that was set back then: the release is its memory", async () => {
  const { cluster, first } = await started();
  await cluster.apply(cluster.push("alice", "two"));
  const running = cluster.hashes();
  await forget(cluster, 2);
  cluster.sim.repository.setBranch("main", first);
  awaken(cluster, 2);
  await cluster.sim.clock.advance(20_000);
  assert.deepEqual(await cluster.taken(), ["2 -", "2 -", "0 not-on-branch"]);
  assert.equal(cluster.hashes(), running, "and what ran runs on");
});

test("row 74: nor where the release was set back as well: its own word of what it took is its memory, and its engine goes by everybody's", async () => {
  const { cluster, first } = await started();
  const second = cluster.push("alice", "two");
  await cluster.apply(second);
  const running = cluster.hashes();
  for (const index of [0, 2]) await forget(cluster, index);
  cluster.sim.repository.setBranch("main", first);
  await cluster.force(first);
  for (const index of [0, 2]) awaken(cluster, index);
  await cluster.sim.clock.advance(60_000);
  assert.deepEqual(await cluster.taken(), ["0 not-a-descendant", "2 not-a-descendant", "0 not-a-descendant"]);
  assert.equal(cluster.hashes(), running);
  assert.match(
    await problemOfEngine(cluster),
    refused(`^not-a-descendant: commit ${first} .* ${second}, which m2 has taken$`),
  );
  const { members } = await cluster.sim.snapshot();
  assert.deepEqual(
    [...new Set(members.map(({ acceptedCommit }) => acceptedCommit))],
    [second],
    "no copy of it is lost",
  );
});

test("an order to go back holds for one commit, on the machine it was given to, once; and is told until the next commit", async () => {
  const { cluster, first } = await started();
  const second = cluster.push("alice", "two");
  await cluster.apply(second);
  const { machines, repository, clock } = cluster.sim;
  repository.setBranch("main", first);
  const order = { commit: first, by: "ann", why: "two was a mistake", at: "2026-01-01T00:00:00.000Z" };
  const [m1, m2, m3] = machines as [SimMachine, SimMachine, SimMachine];
  await m2.rewinds.write({ ...order, commit: second });
  await m3.rewinds.write(order);
  await cluster.force(first);
  assert.deepEqual(await cluster.taken(), ["2 not-a-descendant", "2 not-a-descendant", "3 -"]);
  const [, , back] = (await cluster.sim.snapshot()).members;
  assert.deepEqual(back?.rewound, order);
  // The engine's machine has it now, too: it places again.
  for (const { rewinds } of [m1, m2]) await rewinds.write(order);
  await clock.advance(30_000);
  assert.deepEqual(await cluster.taken(), ["3 -", "3 -", "3 -"]);
  assert.equal(await problemOfEngine(cluster), "");
  assert.equal((await cluster.sim.convergence())?.converged, true);
  assert.match(
    cluster.sim.trace.join("\n"),
    refused(`m1 agent: went back to commit ${first}, as ann ordered here at .*: two was a mistake`),
  );
  await cluster.apply(cluster.push("alice", "three"));
  assert.deepEqual(await cluster.taken(), ["4 -", "4 -", "4 -"]);
  assert.deepEqual(
    (await cluster.sim.snapshot()).members.flatMap(({ rewound }) => rewound ?? []),
    [],
  );
  for (const { rewinds } of machines) assert.equal(await rewinds.read(), null);
  // What was ordered once is not obeyed again.
  repository.setBranch("main", first);
  await cluster.force(first);
  assert.deepEqual(await cluster.taken(), ["4 not-a-descendant", "4 not-a-descendant", "4 not-a-descendant"]);
});
