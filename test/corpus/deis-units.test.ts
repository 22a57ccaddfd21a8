import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compileRepository, shownFindings } from "../compile-repository.ts";

const corpus = join(import.meta.dirname, "../../../shared/corpus/deis-units");

test("the production units of an early PaaS compile under a two-line manifest, untouched", {
  skip: existsSync(corpus) ? false : "the corpus is not beside this clone",
}, () => {
  const names = readdirSync(corpus).filter((name) => name.endsWith(".service"));
  const { spec, diagnostics } = compileRepository({
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: deis\n",
    ...Object.fromEntries(names.map((name) => [`units/${name}`, readFileSync(join(corpus, name), "utf8")])),
  });
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
