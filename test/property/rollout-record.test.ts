import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../src/adapters/sha256.ts";
import type { Assignment, ClusterSnapshot, UnitStatus } from "../../src/domain/cluster/cluster-snapshot.ts";
import { digestOfSet } from "../../src/domain/cluster/digest-of-set.ts";
import { emptySnapshot } from "../../src/domain/cluster/empty-snapshot.ts";
import { machinesOf } from "../../src/domain/cluster/machines-of.ts";
import type { MachineId, UnitHash, UnitName } from "../../src/domain/names.ts";
import { placeUnits } from "../../src/domain/placement/place-units.ts";
import { machinesOfUnits, placedNow } from "../../src/domain/placement/placed-now.ts";
import type { SetWrite } from "../../src/domain/placement/plan-set-writes.ts";
import { unitHashes } from "../../src/domain/placement/unit-hashes.ts";
import { ailments } from "../../src/domain/rollout/ailments.ts";
import { changedReplicas, leftToChange } from "../../src/domain/rollout/changed-replicas.ts";
import type { Waited } from "../../src/domain/rollout/failures-among.ts";
import { allowedNow, canariesNow, openNow, ringGates } from "../../src/domain/rollout/gates.ts";
import { isCheckpoint } from "../../src/domain/rollout/is-checkpoint.ts";
import { judgeRollout } from "../../src/domain/rollout/judge-rollout.ts";
import type { Settling } from "../../src/domain/rollout/judge-settling.ts";
import { nextWrites } from "../../src/domain/rollout/next-writes.ts";
import type { RolloutRecord } from "../../src/domain/rollout/rollout-record.ts";
import { rolloutInForce, type StoredRollout } from "../../src/domain/rollout/rollouts.ts";
import { excusedAtStart } from "../../src/domain/rollout/start-rollout.ts";
import type { ClusterSpec } from "../../src/domain/spec/cluster-spec.ts";
import { compileRepository } from "../compile-repository.ts";
import * as fc from "./fast-check.ts";

const MACHINES = ["0", "1", "2"].map((digit) => digit.repeat(32) as MachineId);
const PASS_MS = 1_000;
/** Three waves there, three back, each with its 5 s and its passes, and as many leaders as may die on the way. */
const PASSES = 600;
const [OLD, NEW] = [1, 2] as const;
type Version = typeof OLD | typeof NEW;

interface World {
  /** Units whose new version does not start. */
  readonly broken: readonly string[];
  readonly onFailure: "hold" | "rollback";
  readonly canary: boolean;
  readonly rings: boolean;
  /** What happens in each pass: a leader dies before or after its record, or after so many of its writes. */
  readonly deaths: readonly ("none" | "before" | "record" | "half")[];
  /** How many passes each start takes. */
  readonly delays: readonly number[];
}

const UNITS = ["web", "all", "solo"];
const worlds: fc.Arbitrary<World> = fc.record({
  broken: fc.subarray(UNITS),
  onFailure: fc.constantFrom("hold", "rollback"),
  canary: fc.boolean(),
  rings: fc.boolean(),
  deaths: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constant("none" as const) },
      { weight: 2, arbitrary: fc.constantFrom("before" as const, "record" as const, "half" as const) },
    ),
    { minLength: 40, maxLength: 40 },
  ),
  delays: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 5, maxLength: 5 }),
});

test("wherever leaders die and whatever fails, a rollout ends in the new release, or in the old one, or held, and says which", () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const cluster = new ToyCluster(world);
      const ended = cluster.run();
      const failed = [...new Set(ended.failures.map(({ unit }) => unit.replace(/(@\d+)?\.service$/, "")))];
      for (const unit of failed) assert.ok(world.broken.includes(unit), `${unit} did not fail`);
      if (world.broken.length === 0) assert.equal(ended.phase, "done");
      else assert.equal(ended.phase, world.onFailure === "rollback" ? "rolled-back" : "held");
      assert.equal(ended.failures.length > 0, world.broken.length > 0);
      if (ended.phase === "done") cluster.assertRuns(NEW);
      if (ended.phase === "rolled-back") cluster.assertRuns(OLD);
      assert.ok(cluster.fewestUp >= 2, "one of three web is down at most");
      const { revision } = cluster;
      cluster.passes(30);
      assert.equal(cluster.revision, revision, "what has ended writes nothing more");
    }),
    { numRuns: 60 },
  );
});

interface Process {
  readonly hash: UnitHash;
  readonly upAtPass: number;
}

/** Three machines with real deciders, an engine that dies, and agents that start what is placed, some passes later. */
class ToyCluster {
  revision = 1;
  fewestUp = 3;
  readonly #world: World;
  readonly #specs: Readonly<Record<Version, ClusterSpec>>;
  readonly #newHashes: ReadonlySet<UnitHash>;
  readonly #placed = new Map<string, { unit: UnitName; machine: MachineId; hash: UnitHash }>();
  readonly #processes = new Map<string, Process>();
  readonly #records: StoredRollout[] = [];
  #seq: Version = OLD;
  #pass = 0;
  /** Gone with its leader. */
  #memory: { record: RolloutRecord | null; waited: Waited; settling: readonly Settling[]; lookedAt: number | null } =
    NOTHING;

  constructor(world: World) {
    this.#world = world;
    this.#specs = { [OLD]: specOf(world, OLD), [NEW]: specOf(world, NEW) };
    const hashOf = unitHashes(this.#specs[NEW], sha256);
    this.#newHashes = new Set(this.#specs[NEW].units.map((unit) => hashOf(unit, null)));
  }

  run(): RolloutRecord {
    this.passes(60);
    assert.equal(this.#record()?.phase, "done", "the first release runs");
    this.#seq = NEW;
    this.fewestUp = 3;
    const isOver = () => ["done", "held", "rolled-back"].includes(this.#record()?.phase ?? "");
    for (let left = PASSES; left > 0 && !isOver(); left -= 1) this.passes(1);
    // What was under way ends.
    this.passes(20);
    return this.#record() ?? assert.fail("there is no record");
  }

  passes(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      this.#pass += 1;
      this.#lead();
      this.#obey();
      const up = [...this.#placed].filter(([key, { unit }]) => unit.startsWith("web@") && this.#isUp(key));
      if (this.#pass > 60) this.fewestUp = Math.min(this.fewestUp, up.length);
    }
  }

  assertRuns(version: Version): void {
    const spec = this.#specs[version];
    const wanted = placeUnits({ spec, ...this.#placing(spec), sha256 }).placements;
    assert.deepEqual(
      [...this.#processes].map(([key, { hash }]) => `${key} ${hash}`).sort(),
      wanted.map(({ unit, machine, hash }) => `${unit}/${machine} ${hash}`).sort(),
    );
    for (const key of this.#processes.keys()) assert.ok(this.#isUp(key), `${key} is not up`);
  }

  /** One pass of whoever leads, as an engine makes it. */
  #lead(): void {
    // Only deaths of the second release: before it there is nothing to be proved.
    const death = this.#world.deaths[this.#pass - 61] ?? "none";
    const memory = this.#memory;
    const nowMs = this.#pass * PASS_MS;
    const release = idOf(this.#seq, this.#specs[this.#seq]);
    const found = rolloutInForce({ records: this.#records, orders: [] }, release, "");
    const began = memory.record?.release.seq === release.seq ? { ...found, record: memory.record } : found;
    const isBack = began.record.phase === "rolling-back" || began.record.phase === "rolled-back";
    const newest = this.#specs[this.#seq];
    const old = began.record.base === null ? null : this.#specs[began.record.base.seq as Version];
    const [spec, base] = isBack ? [old!, newest] : [newest, old];
    const seen = this.#snapshot();
    const before = placedNow(seen);
    const { machines, ...placing } = this.#placing(spec);
    const wanted = placeUnits({ spec, machines, ...placing, sha256 }).placements;
    const input = { record: began.record, spec, released: base, base, before, wanted, machines, wallMs: nowMs, sha256 };
    const changed = changedReplicas({ spec, from: base, before, machines, sha256 });
    const settling = [...memory.settling];
    // A leader that has just begun watches all that was changed.
    if (memory.lookedAt === null)
      for (const { unit, machine } of changed)
        settling.push({ unit, machine, hash: this.#placed.get(`${unit}/${machine}`)!.hash, upSinceMs: null });
    const next = nextWrites({
      ...{ spec, released: base, snapshot: seen, hasStatuses: true, machines, wanted: allowedNow(input).placements },
      ...{ settling, watchesAll: true, nowMs, sha256, ...canariesNow(input) },
    });
    const judged = judgeRollout({
      record: began.isNew ? excusedAtStart(began.record, before, next) : began.record,
      ...{ waited: memory.waited, spec, base: old === null ? "none" : "known", order: null, changed },
      left: leftToChange({ spec, machines, sha256 }, before, wanted),
      ...{ stateOf: next.stateOf, isAway: () => false, ailmentOf: ailments(spec, seen, before) },
      ...{ elapsedMs: memory.lookedAt === null ? 0 : nowMs - memory.lookedAt, now: String(this.#pass) },
      rings: ringGates(spec, machines, openNow(nowMs)),
      canaries: next.baking.map(({ set, canaries }) => ({ set, replicas: canaries })),
    });
    if (death === "before") {
      this.#memory = NOTHING;
      return;
    }
    if (began.isNew || isCheckpoint(found.record, judged.record, 0)) this.#store(judged.record);
    this.#memory = { record: judged.record, waited: judged.waited, settling: next.settling, lookedAt: nowMs };
    if (death === "record") {
      this.#memory = NOTHING;
      return;
    }
    if (judged.record.phase !== began.record.phase || judged.record.openRings !== began.record.openRings) {
      this.#memory = { ...this.#memory, settling };
      return;
    }
    this.#write(death === "half" ? next.writes.slice(0, 1) : next.writes);
    if (death === "half") this.#memory = NOTHING;
  }

  #store(record: RolloutRecord): void {
    this.revision += 1;
    const others = this.#records.filter(({ seq }) => seq !== record.release.seq);
    this.#records.splice(0, this.#records.length, ...others);
    this.#records.push({ seq: record.release.seq, record, modRevision: this.revision });
  }

  #record(): RolloutRecord | null {
    return this.#records.find(({ seq }) => seq === this.#seq)?.record ?? null;
  }

  #write(writes: readonly SetWrite[]): void {
    for (const { changes } of writes) {
      this.revision += 1;
      for (const { unit, from, to } of changes) {
        if (from !== null) this.#placed.delete(`${unit}/${from}`);
        if (to !== null) this.#placed.set(`${unit}/${to.machine}`, { unit, machine: to.machine, hash: to.hash });
      }
    }
  }

  /** Agents stop what is not placed any more, and start what is, each in its time. */
  #obey(): void {
    for (const [key, { hash }] of this.#processes)
      if (this.#placed.get(key)?.hash !== hash) this.#processes.delete(key);
    let started = 0;
    for (const [key, { hash }] of this.#placed) {
      if (this.#processes.has(key)) continue;
      const delay = this.#world.delays[(this.#pass + started++) % 5]!;
      this.#processes.set(key, { hash, upAtPass: this.#pass + delay });
    }
  }

  #isBroken(key: string): boolean {
    const unit = this.#placed.get(key)!.unit;
    const isNew = this.#newHashes.has(this.#placed.get(key)!.hash);
    return isNew && this.#world.broken.some((name) => unit.startsWith(name));
  }

  #isUp(key: string): boolean {
    const process = this.#processes.get(key);
    return process !== undefined && process.upAtPass <= this.#pass && !this.#isBroken(key);
  }

  #placing(spec: ClusterSpec) {
    const snapshot = this.#snapshot();
    return {
      machines: machinesOf(spec, snapshot, new Set()),
      current: machinesOfUnits(placedNow(snapshot)),
      preferred: new Map<UnitName, MachineId>(),
    };
  }

  #snapshot(): ClusterSnapshot {
    const placed = [...this.#placed.values()];
    const single = placed.filter(({ unit }) => unit !== "all.service");
    return {
      ...emptySnapshot,
      revision: this.revision,
      identity: { id: "c", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 },
      members: MACHINES.map((id, index) => ({
        ...{ id, name: `m${index}`, address: "", metadata: {}, bootId: "b", version: "1", joined: "", acceptedSeq: 99 },
        ...{ present: true, presenceRevision: 1 },
      })),
      assignments: single
        .map((one): Assignment => ({ ...one, goal: "launched", reason: "stayed", modRevision: 1 }))
        .sort((a, b) => (a.unit < b.unit ? -1 : 1)),
      sets: MACHINES.map((machine) => {
        const placements = placed
          .filter((one) => one.machine === machine)
          .map(({ unit, hash }) => ({ unit, hash, goal: "launched" as const }))
          .sort((a, b) => (a.unit < b.unit ? -1 : 1));
        const header = { epoch: 1, generation: 1, count: placements.length, digest: digestOfSet(placements, sha256) };
        return { machine, header, headerModRevision: 1, placements };
      }),
      statuses: [...this.#processes].flatMap(([key, { hash, upAtPass }]): UnitStatus[] => {
        const { unit, machine } = this.#placed.get(key) ?? {};
        if (unit === undefined || machine === undefined) return [];
        const isStarted = upAtPass <= this.#pass;
        const isFailed = isStarted && this.#isBroken(key);
        const active = isFailed ? "failed" : isStarted ? "active" : "activating";
        const problem = isFailed ? { code: "failed", detail: "systemd says exit-code", journal: [] } : null;
        return [
          {
            ...{ unit, machine, hash, load: "loaded", active, sub: isFailed ? "failed" : "running", since: "" },
            ...{
              result: isFailed ? "exit-code" : "success",
              invocation: `${hash} ${upAtPass}`,
              started: true,
              problem,
            },
          },
        ];
      }),
    };
  }
}

const NOTHING = { record: null, waited: new Map(), settling: [], lookedAt: null };

function idOf(seq: number, { specHash }: ClusterSpec): RolloutRecord["release"] {
  return { seq, commit: `c${seq}` as RolloutRecord["release"]["commit"], specHash };
}

function specOf({ onFailure, canary, rings }: World, version: Version): ClusterSpec {
  const service = (fleet: string) => `[Service]\nExecStart=/bin/run ${version}\n[X-Fleet]\n${fleet}\n`;
  const policy = `minHealthyTime: 5s, onFailure: ${onFailure}${canary ? ", canary: 1, bake: 7s" : ""}`;
  const { spec, diagnostics } = compileRepository({
    "fleet.yaml": `apiVersion: fleet/v1\ncluster: prod\ndefaults: { rollout: { ${policy} } }\nunits: { web@.service: { instances: 3 } }\n${rings ? "rings: [{ match: m0, soak: 6s }, { match: '*' }]\n" : ""}`,
    "units/web@.service": service("Conflicts=web@*.service"),
    "units/all.service": service("Global=true"),
    "units/solo.service": service(""),
  });
  return spec ?? assert.fail(JSON.stringify(diagnostics));
}
