import type { StatusRecord } from "../codec/registry-records.ts";
import type { StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import type { Observation } from "./observe-units.ts";

/** How much of a failed unit's journal travels in its status. */
const JOURNAL_LINES = 10;
/** The longest line that travels; a status must stay far below the registry's limit for one request. */
const JOURNAL_LINE_CHARACTERS = 400;

/** What the agent says of one unit; a failure brings its last journal lines. Null where there is nothing of it here. */
export async function statusOfUnit(
  manager: UnitManager,
  observation: Observation | null,
  problem: { readonly code: string; readonly detail: string } | null,
): Promise<StatusRecord> {
  if (observation === null) return { ...NOTHING, problem: problem === null ? null : { ...problem, journal: [] } };
  const { observed, details } = observation;
  const view = observed.systemd;
  const failed = view?.active === "failed";
  return {
    load: view?.load ?? "not-found",
    active: view?.active ?? "inactive",
    sub: view?.sub ?? "dead",
    hash: observed.loaded ?? observed.onDisk,
    since: details?.since ?? "",
    result: details?.result ?? "",
    invocation: details?.invocation ?? "",
    started: observed.started !== null && observed.started === (observed.loaded ?? observed.onDisk),
    problem: failed || problem !== null ? await problemOf(manager, observed, problem, details?.result ?? "") : null,
  };
}

const NOTHING = {
  load: "not-found",
  active: "inactive",
  sub: "dead",
  hash: null,
  since: "",
  result: "",
  invocation: "",
  started: false,
};

/** What somebody else's unit of this name says is nobody's business here. */
async function problemOf(
  manager: UnitManager,
  { service, owned }: Observation["observed"],
  problem: { readonly code: string; readonly detail: string } | null,
  result: string,
): Promise<StatusProblem> {
  const unread = ["(the journal could not be read)"];
  const lines = owned ? await manager.journal(service, JOURNAL_LINES).catch(() => unread) : [];
  return {
    code: problem?.code ?? "failed",
    detail: problem?.detail ?? `systemd says ${result || "failed"}`,
    journal: lines.map((line) => line.slice(0, JOURNAL_LINE_CHARACTERS)),
  };
}
