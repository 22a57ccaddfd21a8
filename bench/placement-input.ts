import { sha256 } from "../src/adapters/sha256.ts";
import { readManifest } from "../src/codec/manifest/read-manifest.ts";
import type { Machine } from "../src/domain/cluster/machine.ts";
import type { MachineId } from "../src/domain/names.ts";
import type { ClusterSpec } from "../src/domain/spec/cluster-spec.ts";
import { compileSpec } from "../src/domain/spec/compile-spec.ts";

/** What is placed, as a fresh process reads it. */
export interface PlacementCase {
  readonly spec: ClusterSpec;
  readonly machines: readonly Machine[];
}

const ZONES = 10;
/** Replicas of a set; at most `ZONES`, since some sets have one in a zone. */
const REPLICAS = 5;
const GIB = 1024 ** 3;

/** As many units on as many machines, with every constraint there is among them; what they ask for is four fifths of what there is. */
export function placementCase(units: number, machines: number): PlacementCase {
  return {
    spec: specOf(Array.from({ length: units }, (_, index) => unitOf(index))),
    machines: Array.from({ length: machines }, (_, index) => machineOf(index)),
  };
}

/** The same with another unit, as a commit brings it. */
export function withNewcomer({ units, groups, ...spec }: ClusterSpec): ClusterSpec {
  const [newcomer] = specOf([{ name: "newcomer.service", options: "CPU=0.1\nMemory=64M\n" }]).units;
  const group = {
    name: newcomer!.group,
    units: [newcomer!.name],
    global: false,
    ties: [],
    move: "auto",
    localState: [],
  } as const;
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  return { ...spec, units: [...units, newcomer!].sort(byName), groups: [...groups, group].sort(byName) };
}

interface Unit {
  readonly name: string;
  readonly options: string;
  readonly directives?: string;
}

/** Of each hundred: ten bound to a zone, five pairs that conflict, one that replaces, five pairs that live together, five with local data, and twenty replicas. */
function unitOf(index: number): Unit {
  const plain = `bench-${index}.service`;
  const asked = `CPU=${[0.1, 0.2, 0.4, 0.1][index % 4]}\nMemory=${[64, 128, 512, 256][index % 4]}M\n`;
  const of = (next: number) => `bench-${index + next}.service`;
  const kind = index % 100;
  if (kind < 10) return { name: plain, options: `MachineMetadata=zone=z${((index / 10) % ZONES) | 0}\n${asked}` };
  if (kind < 20) return { name: plain, options: `${kind % 2 === 0 ? `Conflicts=${of(1)}\n` : ""}${asked}` };
  if (kind === 20) return { name: plain, options: `Replaces=${of(1)}\n${asked}` };
  if (kind >= 30 && kind < 40)
    return { name: plain, options: `${kind % 2 === 0 ? `MachineOf=${of(1)}\n` : ""}${asked}` };
  if (kind >= 40 && kind < 45) return { name: plain, options: asked, directives: `StateDirectory=bench-${index}\n` };
  const set = Math.floor(index / REPLICAS);
  const replica = `set-${set}@${index % REPLICAS}.service`;
  if (kind >= 60 && kind < 70) return { name: replica, options: `Spread=zone\n${asked}` };
  if (kind >= 70 && kind < 75) return { name: replica, options: `Spread=zone hard\n${asked}` };
  if (kind >= 75 && kind < 80) return { name: replica, options: `MaxPerMachine=1\n${asked}` };
  return { name: plain, options: asked };
}

function specOf(units: readonly Unit[]): ClusterSpec {
  const manifestPath = "fleet.yaml";
  const manifest = readManifest(manifestPath, "apiVersion: fleet/v1\ncluster: bench\n").manifest!;
  const files = units.map(({ name, options, directives = "" }) => ({
    path: `units/${name}`,
    kind: "file" as const,
    oid: "",
    bytes: new TextEncoder().encode(`[Service]\nExecStart=/bin/sleep infinity\n${directives}\n[X-Fleet]\n${options}`),
  }));
  const { spec, diagnostics } = compileSpec({ manifestPath, manifest, files }, sha256);
  if (spec === null) throw new Error(`the bench's own spec is refused: ${diagnostics[0]?.saw}`);
  return spec;
}

function machineOf(index: number): Machine {
  const isLarge = index % 2 === 0;
  return {
    id: index.toString(16).padStart(32, "0") as MachineId,
    name: `m${index}`,
    address: "",
    metadata: { zone: `z${index % ZONES}` },
    drain: false,
    cordon: false,
    presence: "present",
    presenceRevision: index + 1,
    admitted: true,
    capacity: { cpuMilli: isLarge ? 3_000 : 2_000, memoryBytes: (isLarge ? 4 : 3) * GIB },
  };
}
