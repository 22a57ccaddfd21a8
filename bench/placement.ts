import { sha256 } from "../src/adapters/sha256.ts";
import { readManifest } from "../src/codec/manifest/read-manifest.ts";
import type { Machine } from "../src/domain/cluster/machine.ts";
import type { MachineId } from "../src/domain/names.ts";
import { placeUnits } from "../src/domain/placement/place-units.ts";
import type { ClusterSpec } from "../src/domain/spec/cluster-spec.ts";
import { compileSpec } from "../src/domain/spec/compile-spec.ts";
import { type Figures, figuresOf, median, type Sizes } from "./figures.ts";

const ROUNDS = 5;
/** Zones the machines are spread over; a tenth of the units may run in one of them only. */
const ZONES = 10;

/** CPU time of placing every unit of a spec from scratch, without the compiling. */
export async function benchPlacement(sizes: Sizes): Promise<Figures> {
  const [units, count] = [sizes.units ?? 10_000, sizes.machines ?? 1_000];
  const spec = specOf(units);
  const machines = Array.from({ length: count }, (_, index) => machineOf(index));
  const input = { spec, machines, current: new Map(), preferred: new Map(), sha256 };
  const times = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    const { placements } = placeUnits(input);
    const { user, system } = process.cpuUsage(before);
    if (placements.length !== units) throw new Error(`${placements.length} of ${units} units were placed`);
    return (user + system) / 1_000;
  });
  return figuresOf(median(times), null, "CPU ms", {
    units,
    machines: count,
    rounds: ROUNDS,
    cold: Math.round(times[0]!),
  });
}

/** Every tenth unit is bound to a zone, every twentieth minds its neighbour. */
function specOf(units: number): ClusterSpec {
  const manifestPath = "fleet.yaml";
  const manifest = readManifest(manifestPath, "apiVersion: fleet/v1\ncluster: bench\n").manifest!;
  const files = Array.from({ length: units }, (_, index) => {
    const zone = index % 10 === 0 ? `MachineMetadata=zone=z${(index / 10) % ZONES}\n` : "";
    const conflict = index % 20 === 1 ? `Conflicts=bench-${index + 1}.service\n` : "";
    const fleet = zone + conflict === "" ? "" : `\n[X-Fleet]\n${zone}${conflict}`;
    const text = `[Service]\nExecStart=/bin/sleep ${index}\n${fleet}`;
    return {
      path: `units/bench-${index}.service`,
      kind: "file" as const,
      oid: "",
      bytes: new TextEncoder().encode(text),
    };
  });
  const { spec, diagnostics } = compileSpec({ manifestPath, manifest, files }, sha256);
  if (spec === null) throw new Error(`the bench's own spec is refused: ${diagnostics[0]?.saw}`);
  return spec;
}

function machineOf(index: number): Machine {
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
  };
}
