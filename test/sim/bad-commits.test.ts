/** The last good release stays in force, the reason is in the status within a minute, and one poll after it is mended all is well. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryFile } from "../../src/adapters/memory/memory-git-source.ts";
import { readReport } from "../../src/codec/read-report.ts";
import type { CommitId } from "../../src/domain/names.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import { sshSigner } from "../ssh-signer.ts";

const ALICE = sshSigner("alice");
const MALLORY = sshSigner("mallory");
const POLL_MS = 30_000;
const A_MINUTE_MS = 60_000;
/** With its jitter, and what an engine needs for a pass or two. */
const ONE_POLL_MS = POLL_MS * 1.1 + 1_500;

const MANIFEST = `apiVersion: fleet/v1
cluster: sim
admit: any
release: { by: sync }
sync: { interval: ${POLL_MS}ms }
trust: { signers: trust/signers }
`;
const GOOD: Readonly<Record<string, MemoryFile>> = {
  "fleet.yaml": MANIFEST,
  "trust/signers": `${ALICE.line}\n`,
  ...Object.fromEntries(
    Array.from({ length: 4 }, (_, at) => [`units/u${at}.service`, "[Service]\nExecStart=/bin/sleep infinity\n"]),
  ),
};

type Harm = (world: { readonly sim: SimCluster; push(files: typeof GOOD, by?: typeof ALICE | null): CommitId }) => void;

const without = (path: string) => Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== path));

/** What goes wrong with the branch, and the code that says so. */
const HARMS: readonly (readonly [what: string, code: string, harm: Harm])[] = [
  ["row 67: the source does not answer", "source-unreachable", ({ sim }) => away(sim, true)],
  [
    "row 72: history is rewritten",
    "not-a-descendant",
    ({ sim, push }) => {
      sim.repository.setBranch("main", null);
      push(GOOD);
    },
  ],
  ["row 73: the branch is set back", "behind", ({ sim }) => sim.repository.setBranch("main", first(sim))],
  ["row 76: the branch is gone", "branch-missing", ({ sim }) => sim.repository.setBranch("main", null)],
  ["row 76: the tree is empty", "invalid", ({ push }) => push({})],
  ["row 76: the manifest is gone", "invalid", ({ push }) => push(without("fleet.yaml"))],
  [
    "row 77: all units are gone",
    "empties",
    ({ push }) => push(Object.fromEntries([...Object.entries(GOOD).slice(0, 2), ["units/.keep", ""]])),
  ],
  ["row 78: nobody signed it", "untrusted", ({ push }) => push(GOOD, null)],
  [
    "row 80: somebody signed it and named herself",
    "untrusted",
    ({ push }) => push({ ...GOOD, "trust/signers": MALLORY.line }, MALLORY),
  ],
  [
    "row 82: a unit is a symbolic link",
    "invalid",
    ({ push }) => push({ ...GOOD, "units/u0.service": { kind: "symlink" } }),
  ],
  [
    "row 83: a unit is larger than any may be",
    "invalid",
    ({ push }) => push({ ...GOOD, "units/u0.service": "#".repeat(70_000) }),
  ],
  [
    "row 84: the manifest is a bomb",
    "invalid",
    ({ push }) => push({ ...GOOD, "fleet.yaml": `${MANIFEST}a: &a [*a, *a]\n` }),
  ],
  [
    "row 85: a line ends where nobody sees it",
    "invalid",
    ({ push }) => push({ ...GOOD, "units/u0.service": "[Service]\nExecStart=/bin/a # \rUser=root\n" }),
  ],
];

function away(sim: SimCluster, down: boolean): void {
  for (const { engineSource } of sim.machines) engineSource.down = down;
}

/** The first commit there ever was. */
function first(sim: SimCluster): CommitId {
  return [...sim.repository.commits.keys()][0]!;
}

test("whatever is wrong with the branch is in the status within a minute, nothing stops, and it is over one poll after it is mended", async () => {
  const sim = new SimCluster({ seed: 1, machines: 2, engines: 2, cluster: "sim" });
  let pushes = 0;
  const push = (files: typeof GOOD, by: typeof ALICE | null = ALICE) =>
    sim.repository.push("main", { ...files, "README.md": `${++pushes}` }, "", by === null ? {} : { sign: by.sign });
  const said = async () => {
    const entry = (await sim.registry.list(sim.keys.report, { exact: true })).entries[0];
    const { held, trouble } = readReport(entry?.value ?? "")?.sync ?? {};
    return held?.reason.code ?? trouble?.code ?? "nothing";
  };
  const running = () =>
    sim.machines.flatMap(({ manager }) =>
      [...manager.running()].map(([unit, { invocation }]) => `${unit} ${invocation}`),
    );
  const empty = { ...GOOD, "README.md": "before all" };
  sim.repository.push("main", empty, "", { sign: ALICE.sign });
  const begun = push(GOOD);
  sim.start();
  await sim.clock.advance(5_000);
  await sim.apply(begun);
  await sim.clock.advance(A_MINUTE_MS);
  const before = running();
  assert.equal(before.length, 4);
  let good = begun;
  for (const [what, code, harm] of HARMS) {
    harm({ sim, push });
    await sim.clock.advance(A_MINUTE_MS);
    assert.equal(await said(), code, what);
    assert.equal((await sim.snapshot()).release?.commit, good, what);
    assert.deepEqual(running(), before, what);
    away(sim, false);
    sim.repository.setBranch("main", good);
    good = push(GOOD);
    await sim.clock.advance(ONE_POLL_MS);
    assert.equal(await said(), "nothing", `${what}, mended`);
    assert.equal((await sim.snapshot()).release?.commit, good, `${what}, mended`);
  }
  assert.deepEqual(running(), before, "through all of it nothing was restarted");
  await sim.end();
});
