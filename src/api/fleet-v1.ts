import { compareText } from "../domain/names.ts";
import type { ClusterSpec, SpecUnit, UnitGoal } from "../domain/spec/cluster-spec.ts";
import { OperationError } from "../ports/operation-error.ts";
import { ApiProblem } from "./api-problem.ts";
import type { ClusterPicture, ShownUnit, SpecOf } from "./cluster-picture.ts";
import { pageOf } from "./pages.ts";
import { type UnitOption, unitOptions } from "./unit-options.ts";

/** The entities of the original API, by its field names. */
export interface FleetUnit {
  readonly name: string;
  readonly options: readonly UnitOption[];
  readonly desiredState: UnitGoal;
  readonly currentState: UnitGoal;
  /** Absent: it is on no machine, or on several. */
  readonly machineID?: string;
}

export interface FleetUnitState {
  readonly name: string;
  readonly hash: string;
  readonly machineID: string;
  readonly systemdLoadState: string;
  readonly systemdActiveState: string;
  readonly systemdSubState: string;
}

export interface FleetMachine {
  readonly id: string;
  readonly primaryIP: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A page of units of the release in force; none before the first release. */
export async function unitPage(picture: ClusterPicture, specOf: SpecOf, tokens: readonly string[]): Promise<object> {
  const spec = await specInForce(picture, specOf);
  const { entries, ...next } = pageOf(spec?.units ?? [], tokens);
  const rows = rowsByUnit(picture);
  return { units: entries.map((unit) => fleetUnit(unit, rows.get(unit.name) ?? [])), ...next };
}

export async function oneUnit(picture: ClusterPicture, specOf: SpecOf, name: string): Promise<FleetUnit> {
  const spec = await specInForce(picture, specOf);
  const unit = spec?.units.find((one) => one.name === name);
  if (unit === undefined) throw new ApiProblem(404, "unit does not exist");
  return fleetUnit(unit, rowsByUnit(picture).get(unit.name) ?? []);
}

export function statePage(picture: ClusterPicture, query: URLSearchParams): object {
  const [machine, unit] = [query.get("machineID"), query.get("unitName")];
  const wanted = (state: FleetUnitState) =>
    (machine === null || state.machineID === machine) && (unit === null || state.name === unit);
  const { entries, ...next } = pageOf(statesOf(picture).filter(wanted), query.getAll("nextPageToken"));
  return { states: entries, ...next };
}

export function oneState(picture: ClusterPicture, name: string): FleetUnitState {
  const state = statesOf(picture).find((one) => one.name === name);
  if (state === undefined) throw new ApiProblem(404, "no machine that is there says anything of this unit");
  return state;
}

export function machinePage({ snapshot }: ClusterPicture, tokens: readonly string[]): object {
  const present = snapshot.members.filter((member) => member.present);
  const { entries, ...next } = pageOf(present, tokens);
  const machines = entries.map(({ id, address, metadata }): FleetMachine => ({ id, primaryIP: address, metadata }));
  return { machines, ...next };
}

/** Whoever walks the pages asks for all of it each time. */
const known = new WeakMap<
  ClusterPicture,
  { byUnit?: ReadonlyMap<string, readonly ShownUnit[]>; states?: readonly FleetUnitState[] }
>();

function knownOf(picture: ClusterPicture) {
  const of = known.get(picture) ?? {};
  known.set(picture, of);
  return of;
}

function rowsByUnit(picture: ClusterPicture): ReadonlyMap<string, readonly ShownUnit[]> {
  const of = knownOf(picture);
  of.byUnit ??= Map.groupBy(picture.rows, ({ unit }) => unit);
  return of.byUnit;
}

function statesOf(picture: ClusterPicture): readonly FleetUnitState[] {
  const of = knownOf(picture);
  of.states ??= picture.rows
    .flatMap(stateOf)
    .sort((a, b) => compareText(a.name, b.name) || compareText(a.machineID, b.machineID));
  return of.states;
}

/** Of a machine that can say how it is now: the original's states went with their machine, too. */
function stateOf({ unit, machine, news, hash, load, active, sub }: ShownUnit): FleetUnitState[] {
  if (machine === null || news !== "current") return [];
  const systemd = { systemdLoadState: load, systemdActiveState: active, systemdSubState: sub };
  return [{ name: unit, hash: hash ?? "", machineID: machine, ...systemd }];
}

function fleetUnit(unit: SpecUnit, rows: readonly ShownUnit[]): FleetUnit {
  const placed = rows.filter(({ machine }) => machine !== null);
  const only = placed.length === 1 && unit.options.global !== true ? placed[0]?.machine : undefined;
  return {
    name: unit.name,
    options: unitOptions(unit),
    desiredState: unit.goal,
    currentState: leastOf(placed),
    ...(only === undefined || only === null ? {} : { machineID: only }),
  };
}

const STATES: readonly UnitGoal[] = ["inactive", "loaded", "launched"];

/** Of a unit on several machines: how far it is on all of them. */
function leastOf(placed: readonly ShownUnit[]): UnitGoal {
  if (placed.length === 0) return "inactive";
  return STATES[Math.min(...placed.map(({ state }) => STATES.indexOf(state)))]!;
}

async function specInForce({ snapshot }: ClusterPicture, specOf: SpecOf): Promise<ClusterSpec | null> {
  if (snapshot.release === null) return null;
  const { commit, specHash } = snapshot.release;
  const spec = await specOf(commit);
  if (spec.specHash === specHash) return spec;
  throw new OperationError("spec-differs", `commit ${commit} compiles to another spec than the release names`);
}
