import assert from "node:assert/strict";
import { test } from "node:test";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { type MemoryFile, MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { MemoryHealthProbe } from "../adapters/memory/memory-health-probe.ts";
import { MemoryPodman } from "../adapters/memory/memory-podman.ts";
import { MemoryUnitManager } from "../adapters/memory/memory-unit-manager.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import type { Contact } from "../ports/contact.ts";
import { OperationError } from "../ports/operation-error.ts";
import { UNSUPERVISED } from "../ports/supervisor.ts";
import { AgentFiles } from "../usecases/agent-files.ts";
import { commitCompiler } from "../usecases/compile-commit.ts";
import { partCompiler } from "../usecases/compile-part.ts";
import { MarkKeeper } from "../usecases/mark-keeper.ts";
import { RewindKeeper } from "../usecases/rewind-keeper.ts";
import { Agent } from "./agent.ts";
import { StandaloneOrders } from "./standalone-orders.ts";

const POLL_MS = 30_000;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const M1 = "1".repeat(32) as MachineId;
const HEAD = "apiVersion: fleet/v1\ncluster: edge\n";

/** A manifest, and units by name, each `Global=true`, with the text its program is started with. */
function commitOf(units: Readonly<Record<string, string>>, manifest = HEAD): Record<string, MemoryFile> {
  const files = Object.entries(units).map(([name, text]) => [
    `units/${name}.service`,
    `[Service]\nExecStart=/bin/server ${text}\n[X-Fleet]\nGlobal=true\n`,
  ]);
  return { "fleet.yaml": manifest, ...Object.fromEntries(files) };
}

/** A machine that follows git alone: its disk and systemd outlive the processes on it. */
class Edge {
  readonly clock = new VirtualClock();
  readonly repository = new MemoryRepository();
  readonly source = new MemoryGitSource(this.repository, "main");
  readonly disk = new MemoryFileStore(() => this.clock.wallMs());
  readonly manager = new MemoryUnitManager({ files: this.disk, clock: this.clock });
  /** Whether home answers, while this runs. */
  isReached: (running: readonly string[]) => boolean = () => true;
  metadata: Readonly<Record<string, string>> = {};
  orders!: StandaloneOrders;
  agent!: Agent;
  #stop = new AbortController();
  #running: Promise<unknown>[] = [];

  async start(): Promise<void> {
    this.#stop = new AbortController();
    let ids = 0;
    const own = this.clock.clockFor(this.skew);
    const files = new AgentFiles(this.disk);
    const self = { machine: M1, name: "m1", address: "", metadata: this.metadata, bootId: "b", version: "1" };
    const home: Contact = {
      name: "home",
      ask: async () => {
        if (!this.isReached(this.texts())) throw new OperationError("source-unreachable", "no answer");
      },
    };
    const ports = {
      registry: new MvccRegistry(new MvccStore(), own),
      source: this.source,
      trust: trustOf(this.source),
      compile: commitCompiler({ source: this.source, manifestPath: "fleet.yaml", sha256 }),
      compilePart: partCompiler({ source: this.source, manifestPath: "fleet.yaml" }),
      manager: this.manager,
      files,
      mark: new MarkKeeper(this.disk, "edge"),
      rewinds: new RewindKeeper(this.disk),
      holder: { renewed: async () => {} },
      health: new MemoryHealthProbe(),
      podman: new MemoryPodman(this.disk),
      contacts: [home],
      clock: own,
      newId: () => `id${++ids}`,
      sha256,
      supervisor: UNSUPERVISED,
      log: () => {},
    };
    const followed = { cluster: "edge", source: "git", branch: "main", manifest: "fleet.yaml", pollMs: POLL_MS };
    this.orders = new StandaloneOrders(self, followed, ports);
    await this.orders.begin();
    this.agent = new Agent(self, "edge", null, ports);
    this.#running = [this.agent.run(this.#stop.signal), this.orders.run(this.#stop.signal)];
  }
  skew: { offsetMs?: number; driftPpm?: number } = {};

  async end(): Promise<void> {
    this.#stop.abort(null);
    const ended = Promise.all(this.#running);
    await this.clock.advance(10_000);
    await ended;
  }

  /** Time enough for a poll and what follows from it. */
  async settle(milliseconds = POLL_MS + 20_000): Promise<void> {
    await this.clock.advance(milliseconds);
  }

  push(units: Readonly<Record<string, string>>, subject = "", manifest = HEAD) {
    return this.repository.push("main", commitOf(units, manifest), subject);
  }

  /** What its programs were started with, sorted. */
  texts(): string[] {
    const programs = [...this.manager.running().values()].map(({ text }) => text);
    return programs.map((text) => /server (\S+)/.exec(text)?.[1] ?? text).sort();
  }

  async problem(): Promise<string | null> {
    return (await this.orders.state()).problem?.code ?? null;
  }
}

async function following(units: Readonly<Record<string, string>>, before: (edge: Edge) => void = () => {}) {
  const edge = new Edge();
  before(edge);
  edge.push(units);
  await edge.start();
  await edge.settle();
  assert.deepEqual(edge.texts(), Object.values(units).sort());
  return edge;
}

test("a machine runs what the branch says, follows it, and says what it follows", async () => {
  const edge = await following({ a: "a1", b: "b1" });
  const tip = edge.push({ a: "a2", c: "c1" });
  await edge.settle();
  assert.deepEqual(edge.texts(), ["a2", "c1"]);
  const { commit, tip: seen, fetchedAgoMs, problem, units } = await edge.orders.state();
  assert.deepEqual([commit, seen, problem], [tip, tip, null]);
  assert.ok(fetchedAgoMs !== null && fetchedAgoMs <= POLL_MS);
  assert.deepEqual(
    units.map(({ unit, status }) => [unit, status?.active]),
    [
      ["a.service", "active"],
      ["c.service", "active"],
    ],
  );
});

test("row 73: a branch that is rewound is not followed back, and followed on once it moves forward again", async () => {
  const edge = await following({ a: "a1" });
  const first = edge.repository.branches.get("main")!;
  const second = edge.push({ a: "a2" });
  await edge.settle();
  edge.repository.setBranch("main", first);
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a2"], "not-a-descendant"]);
  edge.repository.setBranch("main", second);
  edge.push({ a: "a3" });
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a3"], null]);
});

test("row 74: a machine whose state was deleted does not go back either, and stops nothing", async () => {
  const edge = await following({ a: "a1" });
  const first = edge.repository.branches.get("main")!;
  const second = edge.push({ a: "a2" });
  await edge.settle();
  await edge.end();
  for (const name of ["state.json", "holds.json"]) await edge.disk.remove(`/var/lib/fleet/agent/${name}`);
  edge.repository.setBranch("main", first);
  await edge.start();
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a2"], "not-a-descendant"]);
  edge.repository.setBranch("main", second);
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a2"], null]);
});

test("a machine goes back where somebody orders it there, to that commit alone, once", async () => {
  const edge = await following({ a: "a1" });
  const first = edge.repository.branches.get("main")!;
  const second = edge.push({ a: "a2" });
  await edge.settle();
  edge.repository.setBranch("main", first);
  const order = { commit: first, by: "ann", why: "a2 was a mistake", at: "2026-01-01T00:00:00.000Z" };
  const rewinds = new RewindKeeper(edge.disk);
  await rewinds.write({ ...order, commit: second });
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a2"], "not-a-descendant"]);
  await rewinds.write(order);
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a1"], null]);
  assert.deepEqual((await edge.orders.state()).rewound, order);
  const third = edge.push({ a: "a3" });
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a3"], null]);
  assert.deepEqual([(await edge.orders.state()).rewound, await rewinds.read()], [null, null]);
  edge.repository.setBranch("main", first);
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a3"], "not-a-descendant"]);
  assert.notEqual(third, second);
});

test("a machine that has forgotten what it took, and is ordered back, says so all the same", async () => {
  const edge = await following({ a: "a1" });
  const first = edge.repository.branches.get("main")!;
  edge.push({ a: "a2" });
  await edge.settle();
  await edge.end();
  await edge.disk.remove("/var/lib/fleet/agent/state.json");
  edge.repository.setBranch("main", first);
  const order = { commit: first, by: "ann", why: "a2 was a mistake", at: "2026-01-01T00:00:00.000Z" };
  await new RewindKeeper(edge.disk).write(order);
  await edge.start();
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a1"], null]);
  assert.deepEqual((await edge.orders.state()).rewound, order);
  await edge.end();
  await edge.start();
  await edge.settle();
  assert.deepEqual((await edge.orders.state()).rewound, order, "also after a restart");
});

test("row 75: a machine says that its branch is older than it may be, and follows it all the same", async () => {
  const manifest = `${HEAD}release: { by: sync }\nsync: { maxAge: 2h }\n`;
  const edge = new Edge();
  const push = (text: string) =>
    edge.repository.push("main", commitOf({ a: text }, manifest), "", { authoredMs: edge.clock.wallMs() });
  push("a1");
  await edge.start();
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a1"], null]);
  await edge.settle(7_300_000);
  assert.deepEqual([edge.texts(), await edge.problem()], [["a1"], "branch-old"]);
  push("a2");
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a2"], null]);
});

test("a machine that is offline for long, and boots meanwhile, runs what it had, repairs it, and catches up", async () => {
  const edge = await following({ a: "a1", b: "b1" });
  edge.source.down = true;
  edge.push({ a: "a2", b: "b2" });
  await edge.settle(HOUR_MS);
  await edge.disk.remove("/run/systemd/system/a.service");
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a1", "b1"], "source-unreachable"]);
  assert.ok((await edge.orders.state()).fetchedAgoMs! >= HOUR_MS);
  await edge.end();
  edge.manager.powerOff();
  await edge.start();
  await edge.settle();
  assert.deepEqual(edge.texts(), ["a1", "b1"]);
  edge.source.down = false;
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a2", "b2"], null]);
});

test("wherever the power fails while a commit is taken, the machine comes up and takes it", async () => {
  for (const step of [1, 2, 3, 5, 8, 13, 21, 34]) {
    const edge = await following({ a: "a1", b: "b1", c: "c1" });
    edge.push({ a: "a2", b: "b1", d: "d1" });
    const dead = edge.disk.steps + step;
    await edge.clock.runUntil(() => edge.disk.steps >= dead, 120_000);
    await edge.end();
    edge.manager.powerOff();
    await edge.start();
    await edge.settle();
    assert.deepEqual(edge.texts(), ["a2", "b1", "d1"], `after ${step} steps`);
  }
});

const BROKEN: readonly [says: string, breaks: (edge: Edge) => void, code: string][] = [
  ["a branch that is gone", (edge) => edge.repository.setBranch("main", null), "branch-missing"],
  ["an empty tree", (edge) => edge.repository.push("main", {}), "commit-invalid"],
  [
    "a manifest that is gone",
    (edge) => edge.repository.push("main", { "units/a.service": "[Service]\nExecStart=/bin/server a9\n" }),
    "commit-invalid",
  ],
  ["a manifest that is no YAML", (edge) => void edge.push({ a: "a9" }, "", "units: ["), "commit-invalid"],
  [
    "a unit that is invalid",
    (edge) => edge.repository.push("main", { ...commitOf({ a: "a9" }), "units/z.service": "no section" }),
    "commit-invalid",
  ],
  [
    "another cluster's manifest",
    (edge) => void edge.push({ a: "a9" }, "", HEAD.replace("edge", "shop")),
    "other-cluster",
  ],
  ["a spec without units", (edge) => void edge.push({}), "commit-invalid"],
  ["a spec that has lost most of them", (edge) => void edge.push({ a: "a1" }), "mass-stop"],
  [
    "a commit that lists other machines only",
    (edge) => void edge.push({ a: "a1", b: "b1", c: "c1", d: "d1" }, "", `${HEAD}machines: { m2: {} }\n`),
    "mass-stop",
  ],
  [
    "history that begins anew",
    (edge) => edge.repository.setBranch("main", edge.repository.commit(commitOf({ x: "x" }))),
    "not-a-descendant",
  ],
];

for (const [says, breaks, code] of BROKEN) {
  test(`${says} stops nothing, also over a boot, and is said; what comes after it is taken`, async () => {
    const units = { a: "a1", b: "b1", c: "c1", d: "d1" };
    const edge = await following(units);
    const good = edge.repository.branches.get("main")!;
    breaks(edge);
    await edge.settle();
    assert.deepEqual([edge.texts(), await edge.problem()], [Object.values(units), code]);
    await edge.end();
    edge.manager.powerOff();
    await edge.start();
    await edge.settle();
    assert.deepEqual(edge.texts(), Object.values(units));
    edge.repository.setBranch("main", edge.repository.commit(commitOf({ ...units, e: "e1" }), { parents: [good] }));
    await edge.settle();
    assert.deepEqual([edge.texts(), await edge.problem()], [[...Object.values(units), "e1"], null]);
  });
}

test("a mass of stops that the commit's message allows is carried out", async () => {
  const edge = await following({ a: "a1", b: "b1", c: "c1", d: "d1" });
  edge.push({ a: "a1" }, "Close the site\n\nFleet-Allow-Stops: yes");
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["a1"], null]);
});

test("a commit that cuts the machine off is undone, not tried again after a boot, and left behind by the next", async () => {
  const manifest = `${HEAD}units: { a.service: { confirm: 30s } }\n`;
  const edge = await following({ a: "a1", b: "b1" }, (world) => {
    world.isReached = (running) => !running.includes("cut");
    world.push({ a: "a0", b: "b0" }, "", manifest);
  });
  edge.push({ a: "cut", b: "b2" }, "", manifest);
  await edge.settle(POLL_MS + 2_000);
  assert.deepEqual(edge.texts(), ["b2", "cut"]);
  await edge.settle(90_000);
  assert.deepEqual([edge.texts(), await edge.problem()], [["a1", "b1"], "not-confirmed"]);
  await edge.end();
  edge.manager.powerOff();
  await edge.start();
  await edge.settle(300_000);
  assert.deepEqual([edge.texts(), await edge.problem()], [["a1", "b1"], "not-confirmed"]);
  edge.push({ a: "a3", b: "b2" }, "", manifest);
  await edge.settle(120_000);
  assert.deepEqual([edge.texts(), await edge.problem()], [["a3", "b2"], null]);
});

test("whatever happens to its branch, its network, its disk and its power, a machine never stops a mass of what it runs", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const draw = drawFrom(seed);
    const edge = await following({ a: "a", b: "b", c: "c", d: "d", e: "e" });
    let before = edge.texts();
    for (let turn = 0; turn < 12; turn++) {
      await happen(edge, draw);
      await edge.settle();
      const now = edge.texts();
      const stopped = before.filter((text) => !now.includes(text)).length;
      assert.ok(stopped < 3 || stopped <= before.length / 4, `seed ${seed}, turn ${turn}: ${before} to ${now}`);
      assert.notEqual(now.length, 0, `seed ${seed}, turn ${turn}`);
      before = now;
    }
  }
});

/** Numbers from 0 to below `limit`; the same for the same seed. */
function drawFrom(seed: number): (limit: number) => number {
  let state = seed * 2_654_435_761;
  return (limit) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_507) + 0x9e3779b9) >>> 0;
    return state % limit;
  };
}

async function happen(edge: Edge, draw: (limit: number) => number): Promise<void> {
  const some = () => Object.fromEntries([..."abcdefg"].filter(() => draw(3) > 0).map((name) => [name, name]));
  const branches = [...edge.repository.commits.keys()];
  switch (draw(7)) {
    case 0:
      return edge.repository.setBranch("main", draw(2) === 0 ? null : branches[draw(branches.length)]!);
    case 1:
      edge.source.down = !edge.source.down;
      return;
    case 2:
      edge.repository.push("main", {});
      return;
    case 3:
      await edge.end();
      if (draw(2) === 0) edge.manager.powerOff();
      else await edge.disk.remove("/var/lib/fleet/agent/state.json");
      return edge.start();
    default:
      edge.push(some());
  }
}

test("a machine whose clock is years off follows all the same", async () => {
  for (const years of [-20, 20]) {
    const edge = new Edge();
    edge.skew = { offsetMs: years * YEAR_MS };
    edge.push({ a: "a1" });
    await edge.start();
    await edge.settle();
    edge.push({ a: "a2" });
    await edge.settle();
    assert.deepEqual([edge.texts(), await edge.problem()], [["a2"], null]);
  }
});

test("what is held on the machine itself is left as it is, also over a restart of the agent, until the hold is over", async () => {
  const edge = await following({ a: "a1", b: "b1" });
  const scope = { kind: "unit", unit: "a.service" as UnitName } as const;
  await edge.agent.holds.place({ scope, reason: "", by: "ada", at: "2026-01-01T00:00:00Z", forMs: 600_000 });
  edge.push({ a: "a2", b: "b2" });
  await edge.settle();
  assert.deepEqual(edge.texts(), ["a1", "b2"]);
  await edge.end();
  await edge.start();
  await edge.settle();
  assert.deepEqual(edge.texts(), ["a1", "b2"]);
  await edge.settle(600_000);
  assert.deepEqual(edge.texts(), ["a2", "b2"]);
});

test("a machine that belongs to a cluster's engines does not go its own way", async () => {
  const edge = await following({ a: "a1" });
  await edge.end();
  const files = new AgentFiles(edge.disk);
  await files.writeState({ ...(await files.readState())!, clusterId: "another" });
  await assert.rejects(edge.start(), { code: "joined-cluster" });
  assert.deepEqual(edge.texts(), ["a1"]);
});

/** Two replicas of one template, of which one may be down at a time, as an engine would place them, and something that is on its own. */
const replicated = (web: string, other: string): Record<string, MemoryFile> => ({
  "fleet.yaml": `${HEAD}units: { web@.service: { instances: 2 } }\n`,
  "units/web@.service": `[Service]\nExecStart=${web}\n[X-Fleet]\nMachineID=m1\n`,
  "units/z.service": `[Unit]\nAfter=web@1.service web@2.service\n[Service]\nExecStart=/bin/server ${other}\n[X-Fleet]\nMachineID=m1\n`,
});

async function replicas(): Promise<Edge> {
  const edge = new Edge();
  edge.repository.push("main", replicated("/bin/server w1", "z1"));
  await edge.start();
  await edge.settle();
  assert.deepEqual(edge.texts(), ["w1", "w1", "z1"]);
  return edge;
}

test("replicas change one after the other, each settled before the next, and what is ordered after them not before the last", async () => {
  const edge = await replicas();
  edge.repository.push("main", replicated("/bin/server w2", "z2"));
  const seen = new Set<string>();
  for (let second = 0; second < 60; second++) {
    await edge.clock.advance(1_000);
    seen.add(edge.texts().join(" "));
  }
  assert.deepEqual([...seen], ["w1 w1 z1", "w1 w2 z1", "w2 w2 z2"]);
  assert.deepEqual((await edge.orders.state()).waiting, []);
});

test("one that fails holds the others, which run on, over a restart as well; the next commit ends it", async () => {
  const edge = await replicas();
  edge.repository.push("main", replicated("/bin/false", "z2"));
  await edge.settle();
  const before = ["w1", "z1"];
  assert.deepEqual([edge.texts(), await edge.problem()], [before, "held"]);
  const { waiting, problem } = await edge.orders.state();
  assert.deepEqual(waiting, ["web@2.service", "z.service"]);
  assert.match(problem!.detail, /^web@1\.service failed as the commit has it: web@2\.service, z\.service not changed/);
  await edge.end();
  await edge.start();
  await edge.settle();
  assert.deepEqual(edge.texts(), before, "whoever was restarted has no other idea");
  edge.repository.push("main", replicated("/bin/server w3", "z3"));
  await edge.settle();
  await edge.settle();
  assert.deepEqual([edge.texts(), await edge.problem()], [["w3", "w3", "z3"], null]);
});
