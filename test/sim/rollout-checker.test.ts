import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../src/adapters/sha256.ts";
import { encodeRollout } from "../../src/codec/rollout-record.ts";
import type { CommitId, MachineId, SpecHash } from "../../src/domain/names.ts";
import type { RolloutRecord } from "../../src/domain/rollout/rollout-record.ts";
import { startRollout } from "../../src/domain/rollout/start-rollout.ts";
import type { ClusterSpec } from "../../src/domain/spec/cluster-spec.ts";
import { unitOnMachine } from "../../src/domain/spec/unit-on-machine.ts";
import type { SimCluster } from "../../src/sim/sim-cluster.ts";
import { compileRepository } from "../compile-repository.ts";
import { RolloutChecker } from "./rollout-checker.ts";

const UNIT = "everywhere.service";
const [M1, M2] = ["1", "2"].map((digit) => digit.repeat(32)) as [MachineId, MachineId];
const [OLD, NEW] = ["old" as CommitId, "new" as CommitId];

test("a checker of rollouts notices what goes too far, and nothing else", () => {
  const cases: Readonly<Record<string, { readonly does: (world: World) => void; readonly finds: RegExp | null }>> = {
    "ring after ring, each soaked": {
      does: (world) => {
        world.becomes(M1);
        world.after(5_000);
        world.record({ openRings: 2 });
        world.becomes(M2);
      },
      finds: null,
    },
    "a machine of a closed ring": { does: (world) => world.becomes(M2), finds: /only 1 rings were open/ },
    "a ring that opens before the one before it has soaked": {
      does: (world) => {
        world.becomes(M1);
        world.after(2_999);
        world.record({ openRings: 2 });
      },
      finds: /a ring opened 2999 ms after/,
    },
    "nobody waits for a machine that was away": {
      does: (world) => {
        world.becomes(M1);
        world.checker.presence(M1, false);
        world.record({ openRings: 2 });
      },
      finds: null,
    },
    "another before the canary has baked": {
      does: (world) => world.goesOn(3_000, 1_999),
      finds: /4999 ms after its canary/,
    },
    "a canary that has baked, and was wiped and written again since": {
      does: (world) => {
        world.becomes(M1);
        world.after(6_000);
        world.isWiped(M1);
        world.goesOn(0, 1_000);
      },
      finds: null,
    },
    "another before a canary has baked that was wiped meanwhile": {
      does: (world) => {
        world.becomes(M1);
        world.after(3_000);
        world.isWiped(M1);
        world.goesOn(0, 1_999);
      },
      finds: /4999 ms after its canary/,
    },
    "a canary that came only after it was wiped": {
      does: (world) => {
        world.after(6_000);
        world.isWiped(M1);
        world.goesOn(0, 4_999);
      },
      finds: /4999 ms after its canary/,
    },
    "a ring that opens before what was wiped in the one before it has soaked": {
      does: (world) => {
        world.becomes(M1);
        world.after(2_000);
        world.isWiped(M1);
        world.becomes(M1);
        world.after(999);
        world.record({ openRings: 2 });
      },
      finds: /a ring opened 2999 ms after/,
    },
    "a version that changes although the rollout is held": {
      does: (world) => {
        world.record({ phase: "held" });
        world.after(30_001);
        world.becomes(M1);
      },
      finds: /was held/,
    },
    "what was on its way when it was held": {
      does: (world) => {
        world.record({ phase: "held" });
        world.after(1_000);
        world.becomes(M1);
      },
      finds: null,
    },
  };
  for (const [what, { does, finds }] of Object.entries(cases)) {
    const world = new World();
    does(world);
    if (finds === null) assert.deepEqual(world.found, [], what);
    else assert.match(world.found.join("\n"), finds, what);
  }
});

/** Two machines, the first of them a ring, that run a version from before. */
class World {
  readonly found: string[] = [];
  readonly checker: RolloutChecker;
  readonly #specs = { [OLD]: specOf(1), [NEW]: specOf(2) };
  #nowMs = 100_000;
  #record: RolloutRecord;

  constructor() {
    const machines = [M1, M2].map((id, index) => ({ id, name: `m${index + 1}` }));
    const clock = {
      monotonicMs: () => this.#nowMs,
    };
    this.checker = new RolloutChecker({ clock, machines } as unknown as SimCluster, (sentence) => {
      this.found.push(sentence);
    });
    for (const commit of [OLD, NEW]) this.checker.learn(commit, this.#specs[commit]!);
    for (const machine of [M1, M2]) {
      this.checker.presence(machine, true);
      this.checker.placed(machine, UNIT, this.#hash(OLD, machine), false);
    }
    this.after(10_000);
    const id = (seq: number, commit: CommitId) => ({ seq, commit, specHash: "s" as SpecHash });
    this.#record = { ...startRollout(id(2, NEW), null, ""), base: id(1, OLD) };
    this.checker.released(2);
    this.record({});
  }

  after(ms: number): void {
    this.#nowMs += ms;
  }

  record(change: Partial<RolloutRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.checker.recorded(2, encodeRollout(this.#record));
  }

  becomes(machine: MachineId): void {
    this.checker.placed(machine, UNIT, this.#hash(NEW, machine), false);
  }

  /** The first ring, then the second, so many milliseconds after one another. */
  goesOn(openAfterMs: number, secondAfterMs: number): void {
    this.becomes(M1);
    this.after(openAfterMs);
    this.record({ openRings: 2 });
    this.after(secondAfterMs);
    this.becomes(M2);
  }

  isWiped(machine: MachineId): void {
    this.checker.placed(machine, UNIT, null, true);
  }

  #hash(commit: typeof OLD, machine: MachineId): string {
    const spec = this.#specs[commit]!;
    return unitOnMachine(spec.units[0]!, machine === M1 ? "m1" : "m2", spec, sha256).hash;
  }
}

function specOf(version: number): ClusterSpec {
  const manifest = `apiVersion: fleet/v1\ncluster: c\nrings:\n  - { match: "${M1}", soak: 3s }\n  - { match: "*" }\n`;
  const { spec } = compileRepository({
    "fleet.yaml": `${manifest}units:\n  ${UNIT}: { rollout: { canary: 1, bake: 5s } }\n`,
    [`units/${UNIT}`]: `[Service]\nExecStart=/bin/sleep ${version}\n[X-Fleet]\nGlobal=true\n`,
  });
  return spec ?? assert.fail("it does not compile");
}
