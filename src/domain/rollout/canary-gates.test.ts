import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import { machineId } from "../../../test/property/generators/cluster.ts";
import type { Machine } from "../cluster/machine.ts";
import type { UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import { unitHashes } from "../placement/unit-hashes.ts";
import { diffPlacements } from "../plan/diff-placements.ts";
import { knownFiles } from "../plan/known-files.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { baseVersions } from "./base-versions.ts";
import { planRollout } from "./plan-rollout.ts";

interface Case {
  /** Of `web@.service`, which has three instances on m1 to m3. */
  readonly rollout: string;
  /** Further units; `NEW` is another text in the second commit. */
  readonly units?: Readonly<Record<string, string>>;
  /** Where instances are after it, if not where they were. */
  readonly to?: Readonly<Record<string, string>>;
  readonly away?: readonly string[];
  /** The first commit has no instance. */
  readonly isFirst?: true;
  /** A wave in a line: `unit@machine …`, and what passes before it. */
  readonly waves: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  "one first, and the others after its wave": {
    rollout: "maxUnavailable: 2, canary: 1",
    waves: ["web@1 m1", "web@2 m2, web@3 m3"],
  },
  "and after its bake": {
    rollout: "maxUnavailable: 2, canary: 1, bake: 10m",
    waves: ["web@1 m1", "web@2 m2, web@3 m3 after 600 s of web@.service"],
  },
  "those on machines that match, wave by wave": {
    rollout: "canary: stage=early, bake: 1m",
    waves: ["web@2 m2", "web@3 m3", "web@1 m1 after 60 s of web@.service"],
  },
  "a first installation has none": {
    rollout: "canary: 1, bake: 10m",
    isFirst: true,
    waves: ["web@1 m1, web@2 m2, web@3 m3"],
  },
  "who is tied to a canary changes with it": {
    rollout: "maxUnavailable: 2, canary: 1, bake: 1m",
    units: { "a.service": "[Unit]\nRequires=web@1.service web@3.service\n[Service]\nExecStart=/bin/NEW\n" },
    to: { "web@3": "m1", a: "m1" },
    waves: ["a m1, web@1 m1, web@3 m1", "web@2 m2 after 60 s of web@.service"],
  },
  "what a lost machine had is placed anew at once": {
    rollout: "maxUnavailable: 3, canary: 1, bake: 1m",
    to: { "web@3": "m2" },
    away: ["m3"],
    waves: ["web@1 m1, web@3 m2", "web@2 m2 after 60 s of web@.service"],
  },
  "a canary by number is on a machine that is there": {
    rollout: "canary: 1, bake: 1m, maxUnavailable: 3",
    away: ["m1"],
    waves: ["web@1 m1, web@2 m2", "web@3 m3 after 60 s of web@.service"],
  },
  "whom a canary starts after goes before it": {
    rollout: "maxUnavailable: 1, canary: 1, bake: 1m",
    units: { "web@1.service.d/order.conf": "[Unit]\nAfter=web@2.service\n" },
    waves: ["web@2 m2", "web@1 m1", "web@3 m3 after 60 s of web@.service"],
  },
};

for (const [sentence, { rollout, units = {}, to = {}, away = [], isFirst, waves }] of Object.entries(CASES)) {
  test(sentence, () => {
    const specOf = (text: string, manifest: string): ClusterSpec => {
      const files = Object.entries({ "web@.service": "[Service]\nExecStart=/bin/NEW\n", ...units });
      const { spec, diagnostics } = compileRepository({
        "fleet.yaml": `apiVersion: fleet/v1\ncluster: test\n${manifest}`,
        ...Object.fromEntries(files.map(([name, content]) => [`units/${name}`, content.replaceAll("NEW", text)])),
      });
      assert.ok(spec, JSON.stringify(diagnostics));
      return spec;
    };
    const manifest = `units: { web@.service: { instances: 3, rollout: { ${rollout} } } }\n`;
    const [old, spec] = [specOf("old", manifest), specOf("new", manifest)];
    const machines = ["m1", "m2", "m3"].map((name, index): Machine => machineNamed(name, index));
    const byName = new Map(machines.map(({ name, id }) => [name, id]));
    const homes: Record<string, string> = { "web@1": "m1", "web@2": "m2", "web@3": "m3", a: "m1" };
    const placed = (one: ClusterSpec, where: Readonly<Record<string, string>>) =>
      one.units.map((unit): Placement => {
        const machine = byName.get(where[unit.name.replace(".service", "")]!)!;
        return {
          unit: unit.name,
          machine,
          hash: unitHashes(one, sha256)(unit, null),
          goal: "launched",
          reason: { code: "stayed" },
        };
      });
    const isBefore = isFirst ? [] : placed(old, { ...homes, ...(away.length > 0 ? {} : to) });
    const before = new Map(isBefore.map(({ unit, machine, hash, goal }) => [unit, [{ machine, hash, goal }]]));
    const after = placed(spec, { ...homes, ...to });
    const base = baseVersions(isFirst ? null : old, machines, sha256);
    const rolled = planRollout({
      spec,
      released: isFirst ? null : old,
      before,
      after,
      changes: diffPlacements(before, after, spec, knownFiles([spec, old], new Map(), sha256), new Map()),
      isAway: (id) => away.some((name) => byName.get(name) === id),
      stateOf: () => "up",
      canaries: { base, machines, isBaked: () => false },
    });
    const names = new Map(machines.map(({ id, name }) => [id, name]));
    const shown = rolled.waves.map(({ changes, after: gate }) => {
      const told = changes.map(({ unit, machine }) => `${short(unit)} ${names.get(machine)}`).join(", ");
      return gate?.kind === "bake" ? `${told} after ${gate.ms / 1000} s of ${gate.sets.join()}` : told;
    });
    assert.deepEqual(shown, waves);
  });
}

function short(unit: UnitName): string {
  return unit.replace(".service", "");
}

function machineNamed(name: string, index: number): Machine {
  return {
    id: machineId(index),
    name,
    address: "",
    metadata: { stage: name === "m1" ? "late" : "early" },
    drain: false,
    cordon: false,
    presence: "present",
    presenceRevision: 1,
    admitted: true,
  };
}
