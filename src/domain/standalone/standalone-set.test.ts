import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";
import { type StandaloneSet, standaloneSet } from "./standalone-set.ts";

const ID = "1".repeat(32) as MachineId;

const machine = (changes: Partial<Machine> = {}): Machine => ({
  id: ID,
  name: "site-1",
  address: "",
  metadata: { ring: "canary", site: "0123" },
  drain: false,
  cordon: false,
  presence: "present",
  presenceRevision: 1,
  admitted: true,
  ...changes,
});

/** Units by name, each with its lines of `[X-Fleet]` and, before a `|`, lines of `[Unit]`. */
function setOf(
  units: Readonly<Record<string, string>>,
  options: { on?: Partial<Machine>; now?: string[] } = {},
): StandaloneSet {
  const files = Object.entries(units).map(([name, text]) => {
    const [fleet = "", head = ""] = text.split("|");
    const service = name.endsWith(".service") ? "[Service]\nExecStart=/bin/true\n" : "[Timer]\nOnBootSec=1\n";
    return [`units/${name}`, `[Unit]\n${head}\n${service}[X-Fleet]\n${fleet}\n`];
  });
  const { spec, diagnostics } = compileRepository({
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: edge\nloss: { agentTtl: 300s }\n",
    ...Object.fromEntries(files),
  });
  assert.notEqual(spec, null, JSON.stringify(diagnostics));
  const now = (options.now ?? []).map((unit) => ({ unit: unit as UnitName }));
  return standaloneSet(spec!, machine(options.on), now, sha256);
}

const shown = ({ placements, refused, left }: StandaloneSet) => ({
  runs: placements.map(({ unit }) => unit).join(" "),
  refused: refused.map(({ unit, because }) => `${unit} ${because.code}`).join(", "),
  left: left.map(({ unit, because }) => `${unit} ${because}`).join(", "),
});

interface Case {
  readonly says: string;
  readonly units: Readonly<Record<string, string>>;
  readonly on?: Partial<Machine>;
  readonly now?: string[];
  readonly runs: string;
  readonly refused?: string;
  readonly left?: string;
}

const CASES: readonly Case[] = [
  {
    says: "what is global, pinned here or selected runs; what is for others is not spoken of",
    units: {
      "a.service": "Global=true",
      "b.service": "MachineID=site-1",
      "c.service": `MachineID=${ID}`,
      "d.service": "MachineMetadata=ring=canary",
      "e.service": "MachineMetadata=ring=slow",
      "f.service": "MachineID=site-2",
      "g.service": "Global=true\nMachineMetadata=ring=slow",
    },
    runs: "a.service b.service c.service d.service",
  },
  {
    says: "what somebody would have to place is left out, and said",
    units: { "a.service": "Global=true", "b.service": "" },
    runs: "a.service",
    left: "b.service needs-engine",
  },
  {
    says: "a group is taken whole for what one of it says",
    units: { "a.service": "MachineMetadata=ring=canary|Requires=b.service", "b.service": "" },
    runs: "a.service b.service",
  },
  {
    says: "a group nobody says anything of is left out whole",
    units: { "a.timer": "", "a.service": "" },
    runs: "",
    left: "a.service needs-engine, a.timer needs-engine",
  },
  {
    says: "of two that may not meet the first by name runs, and the other is refused as an engine would",
    units: { "a.service": "MachineMetadata=ring=canary\nConflicts=b*", "b.service": "MachineMetadata=ring=canary" },
    runs: "a.service",
    refused: "b.service conflict",
  },
  {
    says: "of two that may not meet the one that is there already stays",
    units: { "a.service": "MachineMetadata=ring=canary\nConflicts=b*", "b.service": "MachineMetadata=ring=canary" },
    now: ["b.service"],
    runs: "b.service",
    refused: "a.service conflict",
  },
  {
    says: "a machine the commit does not list is given nothing, and that is said",
    units: { "a.service": "Global=true" },
    on: { admitted: false },
    runs: "",
    refused: "a.service not-admitted",
  },
  {
    says: "a cordon keeps new ones away, and stops nothing",
    units: { "a.service": "MachineID=site-1", "b.service": "MachineID=site-1" },
    on: { cordon: true },
    now: ["a.service"],
    runs: "a.service",
    refused: "b.service cordoned",
  },
  {
    says: "a drain, having nowhere to bring anything to, stops nothing",
    units: { "a.service": "MachineID=site-1" },
    on: { drain: true },
    now: ["a.service"],
    runs: "a.service",
  },
  {
    says: "what must run at most once is left out: nobody could say that it does",
    units: { "a.service": "MachineMetadata=ring=canary\nOnDisconnect=stop-after=20s" },
    runs: "",
    left: "a.service needs-lease",
  },
];

for (const { says, units, on = {}, now = [], runs, refused = "", left = "" } of CASES) {
  test(says, () => assert.deepEqual(shown(setOf(units, { on, now })), { runs, refused, left }));
}

test("the same commit gives the same set whatever is there already, where all of it may be there", () => {
  const units = { "a.service": "Global=true", "b.service": "MachineMetadata=site=0123" };
  const anew = setOf(units);
  const again = setOf(units, { now: ["a.service", "b.service", "gone.service"] });
  const withoutReason = ({ placements }: StandaloneSet) => placements.map(({ reason: _, ...rest }) => rest);
  assert.deepEqual(withoutReason(again), withoutReason(anew));
});
