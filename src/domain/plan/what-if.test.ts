import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import { parseSelector, type Selector } from "../cluster/selector.ts";
import type { MachineId } from "../names.ts";
import { placeUnits } from "../placement/place-units.ts";
import { machinesMeant, type WhatIf, WhatIfs } from "./what-if.ts";

const MANIFEST = `apiVersion: fleet/v1
cluster: test
units:
  web@.service: { instances: 4, rollout: { maxUnavailable: 1 } }
`;
const unit = (text = "", service = "") => `[Unit]\n[Service]\nExecStart=/bin/true\n${service}\n[X-Fleet]\n${text}\n`;
const id = (number: number) => String(number).padStart(32, "0") as MachineId;

interface Case {
  readonly says: string;
  readonly files: Readonly<Record<string, string>>;
  readonly manifest?: string;
  readonly lost: readonly number[];
  readonly shows: readonly string[];
}

const PLAIN = "apiVersion: fleet/v1\ncluster: test\n";
const CASES: readonly Case[] = [
  {
    says: "what may move moves, and what a lost machine did not hold stays",
    files: { "a.service": unit(), "b.service": unit() },
    lost: [0],
    shows: ["a.service 0→1"],
  },
  {
    says: "data stays where it is, and says which",
    files: { "db.service": unit("", "StateDirectory=db") },
    lost: [0],
    shows: ["db.service down data-stays StateDirectory=db"],
  },
  {
    says: "Move=never is a word of its own",
    files: { "a.service": unit("Move=never") },
    lost: [0],
    shows: ["a.service down move-never "],
  },
  {
    says: "a unit that waits for its machine is down until it is back",
    files: { "a.service": unit("Replace=no"), "c.service": unit("Replace=after=24h") },
    lost: [0, 1],
    shows: ["a.service down replace-no ", "c.service down nothing-fits "],
  },
  {
    says: "and it moves nowhere although another machine is free, while one with a grace of its own does in the end",
    files: {
      "a.service": unit("Replace=no"),
      "c.service": unit("MachineOf=d.service\nReplace=after=24h"),
      "d.service": unit(),
    },
    lost: [0],
    shows: ["a.service down replace-no "],
  },
  {
    says: "whoever is tied to one that waits, waits with it",
    files: { "a.service": unit("Replace=no"), "b.service": unit("MachineOf=a.service") },
    lost: [0],
    shows: ["a.service down replace-no ", "b.service down replace-no "],
  },
  {
    says: "a unit that is pinned has nowhere to go",
    files: { "a.service": unit("MachineID=m1") },
    lost: [1],
    shows: ["a.service down pinned m1"],
  },
  {
    says: "where nothing fits, every other machine says why",
    files: { "a.service": unit("Conflicts=b.service"), "b.service": unit() },
    lost: [0],
    shows: ["a.service down nothing-fits conflict×1"],
  },
  {
    says: "a global unit is up as long as another machine runs it",
    files: { "g.service": unit("Global=true") },
    lost: [0],
    shows: [],
  },
  {
    says: "a global unit is down where no machine is left",
    files: { "g.service": unit("Global=true") },
    lost: [0, 1],
    shows: ["g.service down no-other-machine "],
  },
  {
    says: "a unit that is only loaded moves",
    manifest: `${PLAIN}units: { a.service: { state: loaded } }\n`,
    files: { "a.service": unit() },
    lost: [0],
    shows: ["a.service 0→1"],
  },
  {
    says: "a unit that was not to run is not down",
    manifest: `${PLAIN}units: { a.service: { state: loaded } }\n`,
    files: { "a.service": unit() },
    lost: [0, 1],
    shows: [],
  },
  {
    says: "replicas of which more go at once than their budget allows break it, and are back once they have moved",
    manifest: MANIFEST,
    files: { "web@.service": unit() },
    lost: [1],
    shows: ["web@2.service 1→0", "web@4.service 1→0", "budget web@.service 2 of 4 at once, 4 after"],
  },
];

for (const { says, files, manifest = PLAIN, lost, shows } of CASES) {
  test(says, () => {
    const { whatIfs } = clusterOf(manifest, files);
    assert.deepEqual(shown(whatIfs.lose(lost.map(id))), shows);
  });
}

test("a selector means the machines it matches, and one that matches none is given back", () => {
  const { machines } = clusterOf(PLAIN, { "a.service": unit() });
  const selectors = ["m1", "zone=b", "nas"].map((text) => parseSelector(text) as Selector);
  assert.deepEqual(machinesMeant(selectors, machines), { machines: [id(1)], unmatched: [selectors[2]] });
});

/** Two machines that are there: m0 in zone a, m1 in zone b. */
function clusterOf(manifest: string, files: Readonly<Record<string, string>>) {
  const paths = Object.fromEntries(Object.entries(files).map(([path, text]) => [`units/${path}`, text]));
  const { spec, diagnostics } = compileRepository({ "fleet.yaml": manifest, ...paths });
  assert.ok(spec !== null, JSON.stringify(diagnostics));
  const facts = {
    address: "",
    bootId: "",
    version: "",
    joined: "",
    acceptedSeq: 0,
    present: true,
    presenceRevision: 1,
  };
  const members = ["a", "b"].map((zone, index) => ({ id: id(index), name: `m${index}`, metadata: { zone }, ...facts }));
  const machines = machinesOf(spec, { ...emptySnapshot, members }, new Set());
  const { placements } = placeUnits({ spec, machines, current: new Map(), preferred: new Map(), sha256 });
  return { machines, whatIfs: new WhatIfs(spec, machines, placements) };
}

function shown({ moves, down, budgets }: WhatIf): readonly string[] {
  return [
    ...moves.map((move) => `${move.unit} ${Number(move.from)}→${Number(move.to)}`),
    ...down.map(({ unit: name, because }) => `${name} down ${because.code} ${detailOf(because)}`),
    ...budgets.map(({ set, of, atOnce, after }) => `budget ${set} ${atOnce} of ${of} at once, ${after} after`),
  ];
}

function detailOf(because: WhatIf["down"][number]["because"]): string {
  if (because.code === "data-stays") return because.because;
  if (because.code === "pinned") return because.machine;
  if (because.code !== "nothing-fits") return "";
  return because.because.map(({ reason, count }) => `${reason.code}×${count}`).join();
}
