import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { ROOT } from "../../scripts/package/lock-file.ts";

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly "timeout-minutes"?: number; readonly steps: readonly Step[] }>>;
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

const FOLDER = join(ROOT, ".github/workflows");

for (const name of readdirSync(FOLDER)) {
  const text = readFileSync(join(FOLDER, name), "utf8");
  const workflow = parse(text) as Workflow;
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  test(`${name}: an action of somebody else's is one commit, with its version beside it`, () => {
    const lines = text.split("\n").filter((line) => /^\s*-?\s*uses:/.test(line));
    assert.equal(lines.length, steps.filter(({ uses }) => uses !== undefined).length);
    for (const line of lines) assert.match(line, /uses: (\.\/|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/);
  });

  test(`${name}: may read the repository and nothing else unless a job says so, and ends by itself`, () => {
    assert.deepEqual(workflow.permissions, { contents: "read" });
    for (const job of Object.values(workflow.jobs)) assert.ok((job["timeout-minutes"] ?? 0) > 0);
  });

  test(`${name}: no shell reads what others may have written, and no credential stays in the checkout`, () => {
    for (const { run, uses, with: given } of steps) {
      assert.doesNotMatch(run ?? "", /\$\{\{/);
      if (uses?.startsWith("actions/checkout@")) assert.equal(given?.["persist-credentials"], false);
    }
  });
}
