import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MemoryGitSource, MemoryRepository } from "../../src/adapters/memory/memory-git-source.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import { commitCompiler } from "../../src/usecases/compile-commit.ts";
import { shownFindings } from "../compile-repository.ts";

const CORPUS = join(import.meta.dirname, "../../../shared/corpus");
const skip = existsSync(CORPUS) ? false : "the corpus of real unit files is not on this machine";

/** What people are told of a folder of units under a manifest of two lines. */
async function findingsIn(folder: string): Promise<readonly string[]> {
  const files = readdirSync(join(CORPUS, folder), { recursive: true, withFileTypes: true }).filter((one) =>
    one.isFile(),
  );
  const repository = new MemoryRepository();
  const commit = repository.push("main", {
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: test\n",
    ...Object.fromEntries(
      files.map(({ name, parentPath }) => [
        `units/${join(parentPath, name).slice(join(CORPUS, folder).length + 1)}`,
        readFileSync(join(parentPath, name), "utf8"),
      ]),
    ),
  });
  const source = new MemoryGitSource(repository, "main");
  const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256, lint: true });
  const { spec, diagnostics } = await compile(commit);
  assert.ok((spec?.units.length ?? 0) > 10, "they are read");
  return shownFindings(diagnostics);
}

/** docs/diagnostics.md argues each that is left. */
test("noise is a bug: of the units of deis, the one line that is a mistake", { skip }, async () => {
  assert.deepEqual(await findingsIn("deis-units"), [
    "units/deis-registry.service:7 exec-shell-syntax >/dev/null in ExecStartPre=, which systemd hands to the program as an argument",
  ]);
});

test("noise is a bug: of the quadlets of a cookbook, nothing", { skip }, async () => {
  assert.deepEqual(await findingsIn("quadlets"), []);
});
