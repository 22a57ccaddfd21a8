/** action.yml, the code, the page and the examples say the same. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { actionReference, readActionFile } from "../../scripts/make-action-reference.ts";
import { COMMANDS, INPUTS, OUTPUTS } from "../../src/action/action-interface.ts";

const root = join(import.meta.dirname, "../..");
const textOf = (path: string) => readFileSync(join(root, path), "utf8");
const action = readActionFile(textOf("action.yml"));
const sources = globSync("src/action/*.ts", { cwd: root })
  .filter((path) => !path.endsWith(".test.ts") && !path.endsWith("action-interface.ts"))
  .map(textOf)
  .join("\n");

test("action.yml declares the inputs and outputs that the code knows, in their order, and no other", () => {
  assert.deepEqual(Object.keys(action.inputs), INPUTS);
  assert.deepEqual(Object.keys(action.outputs), OUTPUTS);
});

test("every input is read and every output is set somewhere", () => {
  assert.deepEqual(
    INPUTS.filter((name) => !sources.includes(`"${name}"`)),
    [],
  );
  assert.deepEqual(
    OUTPUTS.filter((name) => !new RegExp(`output\\(\\s*"${name}",`).test(sources)),
    [],
  );
});

test("every default is a text, and each input but the command has one", () => {
  const without = Object.entries(action.inputs).filter(([, { default: fallback }]) => typeof fallback !== "string");
  assert.deepEqual(
    without.map(([name, { required }]) => [name, required]),
    [["command", true]],
  );
  for (const command of COMMANDS) assert.ok(action.inputs.command!.description.includes(`\`${command}\``), command);
});

test("the marketplace takes the description, and the runner the node it names", () => {
  assert.ok(action.description.length < 125);
  assert.deepEqual(action.runs, { using: "node24", main: "action/index.js" });
});

test("docs/action.md is fresh: tools/node/run scripts/make-action-reference.ts", () => {
  const page = textOf("docs/action.md");
  assert.equal(page, actionReference(page, action));
});

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group?: string; readonly "cancel-in-progress"?: boolean };
  readonly jobs: Readonly<
    Record<
      string,
      { readonly permissions?: object; readonly "timeout-minutes"?: number; readonly steps: readonly WorkflowStep[] }
    >
  >;
}

interface WorkflowStep {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** The least with which each works. */
const PERMISSIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "apply-plan-file.yml": { contents: "read" },
  "apply.yml": { contents: "read", "pull-requests": "write" },
  "approve.yml": { contents: "write", "pull-requests": "write" },
  "check.yml": { contents: "read", issues: "write" },
  "plan-fork.yml": { contents: "read", "pull-requests": "write" },
  "plan-from-state.yml": { contents: "read", "pull-requests": "write" },
  "plan.yml": { contents: "read", "pull-requests": "write" },
  "validate.yml": { contents: "read" },
};

test("there are examples of every mode", () => {
  assert.deepEqual(globSync("*.yml", { cwd: join(root, "examples/workflows") }).sort(), Object.keys(PERMISSIONS));
});

for (const [name, permissions] of Object.entries(PERMISSIONS)) {
  test(`examples/workflows/${name} asks for no more than it needs, pins what it uses, and gives inputs there are`, () => {
    const text = textOf(`examples/workflows/${name}`);
    const { on, permissions: asked, concurrency, jobs } = parse(text) as Workflow;
    assert.deepEqual(asked, permissions);
    assert.match(concurrency?.group ?? "", /^fleet-/, "two runs of it do not meet");
    // What a stranger wrote is looked at with nothing that would be worth stealing.
    if ("workflow_run" in on) assert.doesNotMatch(text.replace(/^ *#.*/gm, ""), /secrets\.|registry:/);
    assert.ok(textOf("docs/action.md").includes(`examples/workflows/${name}`));
    assert.doesNotMatch(text, /pull_request_target/);
    for (const [job, { permissions: more, steps, "timeout-minutes": minutes }] of Object.entries(jobs)) {
      assert.equal(more, undefined, `${job} asks for no more`);
      assert.ok(minutes !== undefined && minutes <= 30, `${job} ends`);
      for (const { uses, run, with: given = {} } of steps) {
        assert.equal(run, undefined, "nothing that anybody could write into is a script");
        assert.match(uses ?? "", /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
        if (uses!.startsWith("actions/checkout@"))
          assert.equal(given["persist-credentials"], false, "no later step finds the token");
        if (!/\/fleet@/.test(uses!)) continue;
        assert.deepEqual(
          Object.keys(given).filter((input) => !(INPUTS as readonly string[]).includes(input)),
          [],
        );
        assert.ok((COMMANDS as readonly unknown[]).includes(given.command));
        if (given.command === "apply") assert.equal(concurrency?.["cancel-in-progress"], false);
      }
    }
  });
}

for (const path of globSync([".github/workflows/*.yml", "examples/workflows/*.yml"], { cwd: root }).sort()) {
  test(`${path} says what it may do, pins what it uses, and runs no text that somebody else can write`, () => {
    const { permissions, jobs } = parse(textOf(path)) as Workflow;
    assert.equal(typeof permissions, "object", "permissions for all its jobs");
    for (const [job, { steps, "timeout-minutes": minutes }] of Object.entries(jobs)) {
      assert.equal(typeof minutes, "number", `${job} ends`);
      for (const { uses = "./", run = "" } of steps) {
        assert.match(uses, /^(\.\/.*|[\w-]+\/[\w/-]+@[0-9a-f]{40})$/);
        assert.doesNotMatch(run, /\$\{\{[^}]*(github\.(event|head_ref|actor)|inputs\.|steps\.)/);
      }
    }
  });
}
