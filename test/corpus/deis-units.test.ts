import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import { compileRepository, shownFindings } from "../compile-repository.ts";

const corpus = join(import.meta.dirname, "../../../shared/corpus/deis-units");

const skip = existsSync(corpus) ? false : "the corpus is not beside this clone";

function repository(): Record<string, string> {
  const names = readdirSync(corpus).filter((name) => name.endsWith(".service"));
  return {
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: deis\n",
    ...Object.fromEntries(names.map((name) => [`units/${name}`, readFileSync(join(corpus, name), "utf8")])),
  };
}

test("they plan onto three machines: global ones on each, every other on one, none left over", { skip }, async () => {
  const sim = new SimCluster({ seed: 1, machines: 3, engines: 1, cluster: "deis" });
  sim.start();
  await sim.clock.advance(3_000);
  const planned = await sim.plan(sim.commit(repository(), "deis"));
  assert.ok(planned.kind === "planned");
  const { plan, spec } = planned;
  assert.deepEqual(plan.unplaced, []);
  const places = new Map(spec.units.map((unit) => [unit.name, 0]));
  for (const { unit } of plan.placements) places.set(unit, (places.get(unit) ?? 0) + 1);
  assert.deepEqual(
    [...places],
    spec.units.map((unit) => [unit.name, unit.options.global ? 3 : 1]),
  );
  assert.equal(new Set(plan.placements.map((placement) => placement.machine)).size, 3, "all three have some");
  await sim.end();
});

test("the production units of an early PaaS compile under a two-line manifest, untouched", { skip }, () => {
  const names = readdirSync(corpus).filter((name) => name.endsWith(".service"));
  const { spec, diagnostics } = compileRepository(repository());
  assert.deepEqual(shownFindings(diagnostics), []);
  assert.deepEqual(
    spec!.units.map((unit) => unit.name),
    names.toSorted(),
  );
  assert.equal(spec!.groups.length, names.length, "host sockets tie nothing, and nothing else requires anything");
  assert.deepEqual(
    spec!.groups.filter((group) => group.move === "never").map((group) => group.name),
    ["deis-builder.service", "deis-database.service", "deis-logger.service"],
  );
  assert.deepEqual(spec!.units.find((unit) => unit.name === "deis-logger.service")!.after, [
    "deis-store-volume.service",
  ]);
});
