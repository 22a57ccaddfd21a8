import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MemoryGitSource, MemoryRepository } from "../../src/adapters/memory/memory-git-source.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import type { Member } from "../../src/domain/cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../../src/domain/cluster/empty-snapshot.ts";
import { machinesOf } from "../../src/domain/cluster/machines-of.ts";
import type { MachineId } from "../../src/domain/names.ts";
import { planChanges } from "../../src/domain/plan/plan-changes.ts";
import { commitCompiler } from "../../src/usecases/compile-commit.ts";

const CORPUS = join(import.meta.dirname, "../../../shared/corpus/quadlets");
const skip = existsSync(CORPUS) ? false : "the corpus of real unit files is not on this machine";

async function cookbook() {
  const files = readdirSync(CORPUS, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const repository = new MemoryRepository();
  const texts = files.map(({ name, parentPath }) => [
    `units/${join(parentPath, name).slice(CORPUS.length + 1)}`,
    readFileSync(join(parentPath, name), "utf8"),
  ]);
  const manifest = "apiVersion: fleet/v1\ncluster: test\n";
  const commit = repository.push("main", { "fleet.yaml": manifest, ...Object.fromEntries(texts) });
  const source = new MemoryGitSource(repository, "main");
  const { spec } = await commitCompiler({ source, manifestPath: "fleet.yaml", sha256, lint: false })(commit);
  assert.ok(spec !== null);
  return { spec, commit };
}

function member(index: number, capabilities: readonly string[]): Member {
  const id = index.toString(16).padStart(32, "0") as MachineId;
  const facts = { address: "", metadata: {}, bootId: "b", version: "1", joined: "", acceptedSeq: 0 };
  return { id, name: `m${index}`, ...facts, capabilities, present: true, presenceRevision: 1 };
}

async function planned(...capabilities: (readonly string[])[]) {
  const { spec, commit } = await cookbook();
  const snapshot = { ...emptySnapshot, members: capabilities.map((can, index) => member(index, can)) };
  const machines = machinesOf(spec, snapshot, new Set());
  const common = { released: null, base: null, commit, partial: null, sha256 };
  return { spec, plan: planChanges({ spec, snapshot, machines, ...common }) };
}

test("each group of a cookbook of quadlets is on one machine, and nothing is left over", { skip }, async () => {
  const { spec, plan } = await planned(["quadlet"], ["quadlet"], ["quadlet"]);
  assert.deepEqual(plan.unplaced, []);
  const machineOf = new Map(plan.placements.map(({ unit, machine }) => [unit, machine]));
  for (const { name, units } of spec.groups) {
    assert.equal(new Set(units.map((unit) => machineOf.get(unit))).size, 1, `${name}: ${units.join(", ")}`);
  }
});

test("where one of three machines has podman's generator, all its quadlets go there", { skip }, async () => {
  const { spec, plan } = await planned([], ["quadlet"], []);
  const quadlets = new Set(spec.units.filter(({ kind }) => kind === "quadlet").map(({ name }) => name));
  const homes = plan.placements.filter(({ unit }) => quadlets.has(unit)).map(({ machine }) => machine);
  assert.deepEqual([...new Set(homes)], [member(1, []).id]);
});
