import type { AgentState } from "../codec/agent-state.ts";
import type { MemberRecord } from "../codec/registry-records.ts";
import type { Sha256 } from "../domain/names.ts";
import type { SpecPart } from "../domain/spec/commit-part.ts";
import { wantedUnit } from "../domain/tasks/wanted-unit.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";
import type { QuadletGate } from "../usecases/quadlet-gate.ts";
import type { AgentIdentity } from "./member-announcer.ts";

/**
 * Fetches what an accepted release will need of what is placed here already, before its wave comes, and says when it is there: until then
 * the engine changes nothing here (`prepareGate`), and what runs, runs on.
 */
export class ReleasePreparer {
  readonly #self: Pick<AgentIdentity, "machine" | "name">;
  readonly #gate: Pick<QuadletGate, "prepare">;
  readonly #files: Pick<AgentFiles, "readOwned">;
  readonly #sha256: Sha256;

  constructor(
    self: Pick<AgentIdentity, "machine" | "name">,
    gate: Pick<QuadletGate, "prepare">,
    ports: { readonly files: Pick<AgentFiles, "readOwned">; readonly sha256: Sha256 },
  ) {
    this.#self = self;
    this.#gate = gate;
    this.#files = ports.files;
    this.#sha256 = ports.sha256;
  }

  /** What the member record says of it; nothing where the machine is ready. */
  async news(spec: SpecPart | null, state: AgentState): Promise<Pick<MemberRecord, "readySeq" | "problem">> {
    if (spec === null || state.accepted === null || state.set === null) return {};
    const placed = new Map(state.set.placements.map(({ unit, goal }) => [unit, goal]));
    const quadlets = spec.units.filter(({ name, kind }) => kind === "quadlet" && placed.has(name));
    if (quadlets.length === 0) return {};
    const name = spec.machines.find(({ id }) => id === this.#self.machine)?.key ?? this.#self.name;
    const owned = await this.#files.readOwned();
    const coming = quadlets
      .map((unit) => wantedUnit(unit, name, spec, placed.get(unit.name)!, this.#sha256))
      .filter(({ name: unit, hash, goal }) => goal !== "inactive" && owned.get(unit)?.onDisk !== hash);
    const { isReady, problem } = this.#gate.prepare(coming);
    return isReady ? {} : { readySeq: state.accepted.seq - 1, problem };
  }
}
