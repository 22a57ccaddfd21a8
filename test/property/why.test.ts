import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterSnapshot, Member, UnitStatus } from "../../src/domain/cluster/cluster-snapshot.ts";
import { judgeConvergence } from "../../src/domain/cluster/convergence.ts";
import { emptySnapshot } from "../../src/domain/cluster/empty-snapshot.ts";
import type { CommitId, UnitHash, UnitName } from "../../src/domain/names.ts";
import { unitHashes } from "../../src/domain/placement/unit-hashes.ts";
import { UnitExplainer } from "../../src/domain/why/explain-units.ts";
import * as fc from "./fast-check.ts";
import { placementCases } from "./generators/cluster.ts";

const sha256 = (text: string) => text;
const PROBLEM = { code: "failed", detail: "", journal: [] };

/** What an agent says of one of its units; null: nothing. */
const words = fc.constantFrom<Partial<UnitStatus> | null>(
  {},
  {},
  {},
  { active: "inactive", sub: "dead" },
  { active: "failed", problem: PROBLEM },
  { active: "activating" },
  { hash: "other" as UnitHash },
  null,
);

const worlds = fc.record({
  input: placementCases,
  said: fc.array(words, { minLength: 1, maxLength: 12 }),
  isOld: fc.boolean(),
});
type World = typeof worlds extends fc.Arbitrary<infer One> ? One : never;

function snapshotOf({ input, said, isOld }: World): ClusterSnapshot {
  const { spec, machines, current } = input;
  const members = machines.map(
    ({ id, name, metadata, presence, presenceRevision }): Member => ({
      id,
      name,
      metadata,
      presenceRevision,
      present: presence === "present",
      address: "",
      bootId: "",
      version: "",
      joined: "",
      acceptedSeq: 1,
    }),
  );
  const hashOf = unitHashes(spec, sha256);
  const placed = spec.units.flatMap((unit) =>
    (current.get(unit.name) ?? []).map((machine, index) => ({
      unit: unit.name,
      machine,
      hash: isOld && index === 0 ? ("old" as UnitHash) : hashOf(unit, null),
      goal: unit.goal === "inactive" ? ("loaded" as const) : unit.goal,
    })),
  );
  const globals = new Set(spec.units.filter(({ options }) => options.global).map(({ name }) => name));
  const holders = [...new Set(placed.map(({ machine }) => machine))].sort();
  return {
    ...emptySnapshot,
    members: [...members].sort((a, b) => (a.id < b.id ? -1 : 1)),
    release: {
      seq: 1,
      commit: "c" as CommitId,
      specHash: spec.specHash,
      contentId: "",
      planId: "",
      parent: null,
      by: "",
      at: "",
    },
    assignments: placed
      .filter(({ unit }) => !globals.has(unit))
      .map((one) => ({ ...one, reason: "stayed", modRevision: 1 })),
    sets: holders.map((machine) => ({
      machine,
      header: null,
      headerModRevision: 0,
      placements: placed.filter((one) => one.machine === machine).map(({ unit, hash, goal }) => ({ unit, hash, goal })),
    })),
    statuses: placed.flatMap(({ unit, machine, hash }, index): UnitStatus[] => {
      const word = said[index % said.length]!;
      if (word === null) return [];
      const up = { load: "loaded", active: "active", sub: "running", since: "", result: "", invocation: "" };
      return [{ unit, machine, hash, ...up, started: true, problem: null, ...word }];
    }),
  };
}

test("whatever the cluster is like: every unit is explained, and what is not converged is not as wanted, and only that", () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const { spec } = world.input;
      const snapshot = snapshotOf(world);
      const explainer = new UnitExplainer({
        snapshot,
        leader: { machine: "m", term: 1 },
        report: null,
        holds: [],
        index: [],
        commit: { spec, manifest: null, subject: "", author: "" },
        head: null,
        planned: new Map(),
        sha256,
      });
      const { waiting, failed, away } = judgeConvergence(spec, snapshot, sha256);
      const missing = new Set<UnitName>([...waiting, ...failed].map(({ unit }) => unit));
      const atAll = new Set<UnitName>([...missing, ...away.map(({ unit }) => unit)]);
      for (const { name } of spec.units) {
        const chains = explainer.explain(name);
        assert.ok(chains.length > 0, `${name} is explained`);
        for (const { verdict, links } of chains) {
          assert.equal(verdict.link === null, verdict.state === "as-wanted");
          if (verdict.link !== null)
            assert.ok(
              links.some(({ link }) => link === verdict.link),
              `${name} has ${verdict.link}`,
            );
        }
        const wrong = chains.filter(({ verdict }) => verdict.state !== "as-wanted");
        if (missing.has(name)) assert.ok(wrong.length > 0, `${name} is not converged, and as wanted`);
        // What is only on record where nobody wants it, or has more places than it should, is the engine's to tidy up: nothing runs for it.
        const real = wrong.filter(({ verdict }) => verdict.link !== "engine");
        assert.ok(
          real.length === 0 || atAll.has(name),
          `${name} is converged, and ${JSON.stringify(real[0]?.verdict)}`,
        );
      }
    }),
    { numRuns: 500 },
  );
});
