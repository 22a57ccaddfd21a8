import type { AgentState, Trial } from "../codec/agent-state.ts";
import { NOT_CONFIRMED, type PlacedUnit, type StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import type { AcceptedSet } from "../domain/cluster/judge-set.ts";
import { type ChangeRisk, changeRisk, type JudgedText } from "../domain/confirm/change-risk.ts";
import { judgeTrial, withinAfterStarts } from "../domain/confirm/judge-trial.ts";
import {
  isStillRefused,
  placementsUnder,
  type Refusal,
  refuseChange,
  refusedUnits,
} from "../domain/confirm/refusal.ts";
import { undone, undoOf } from "../domain/confirm/undo.ts";
import type { UnitHash, UnitName } from "../domain/names.ts";
import type { SpecPart } from "../domain/spec/commit-part.ts";
import type { Task, WantedUnit } from "../domain/tasks/task.ts";
import { networkTouch } from "../domain/unit/network-touch.ts";
import type { Clock } from "../ports/clock.ts";
import type { Contact } from "../ports/contact.ts";
import { type Log, notice, warning } from "../ports/log.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";
import type { UnitJobs } from "../usecases/unit-jobs.ts";
import { ContactProbe } from "./contact-probe.ts";

interface ConfirmPorts {
  /** Those who show that the machine is reached; without any, nothing is ever on trial. */
  readonly contacts: readonly Contact[];
  readonly files: Pick<AgentFiles, "readUnit" | "readOwned">;
  readonly clock: Clock;
  readonly wake: () => void;
  readonly log: Log;
}

/** What became of a pass. */
interface PassEnd {
  readonly tasks: readonly Task[];
  /** Units it had to leave alone: held, or waiting for a lease. */
  readonly left: ReadonlySet<UnitName>;
  readonly jobs: Pick<UnitJobs, "isBusy">;
}

/**
 * The dead man's handle: a set whose change may cut this machine off is on trial until somebody was reached after it; else the units it
 * changed are put back, and the set is not taken again until it is another one. Everything needed for it is on disk before the change
 * begins (`AgentState.trial`), so it holds whatever ends this process, and asks neither registry nor git.
 */
export class ConfirmWatch {
  readonly #ports: ConfirmPorts;
  readonly #probe: ContactProbe;
  #learnt: Trial | null = null;
  #risk: ChangeRisk | null = null;
  /** Units of the change whose texts are not here: what they do is not known yet. */
  #unknown: ReadonlySet<UnitName> = new Set();
  /** What is on trial was begun by an earlier process. */
  #isRecalled = true;
  #startedMs: number | null = null;
  #doneMs: number | null = null;

  constructor(ports: ConfirmPorts) {
    this.#ports = ports;
    this.#probe = new ContactProbe(ports.contacts, ports.clock, ports.wake);
  }

  /** Asks while something is on trial, until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#probe.run(signal);
  }

  /** Whether what runs now has yet to show that the machine is reached with it. */
  get isOnTrial(): boolean {
    return this.#risk !== null;
  }

  /** What is to run of the state's set. */
  placements({ set, refusal }: AgentState): readonly PlacedUnit[] {
    return placementsUnder(set?.placements ?? [], refusal ?? null);
  }

  /** Texts of these are needed to go back. */
  hashes({ trial, refusal }: AgentState): UnitHash[] {
    const kept = [...(trial?.undo ?? []), ...(refusal?.units ?? [])].map((one) => one.kept?.hash);
    return kept.filter((hash) => hash !== undefined);
  }

  /** The state with a new set in it, and the way back. `spec` is the accepted release's, or null where it is not known here. */
  async offered(state: AgentState, set: AcceptedSet, spec: SpecPart | null): Promise<AgentState> {
    const { trial, refusal: earlier, ...rest } = state;
    const refusal = earlier !== undefined && isStillRefused(earlier, set.placements) ? { refusal: earlier } : {};
    const next = { ...rest, ...refusal, set };
    const isKnown = state.set !== null || (await this.#ports.files.readOwned()).size === 0;
    if (!isKnown || this.#ports.contacts.length === 0) return next;
    // A change on trial goes on: both are undone together. Of one that is not, only what nobody could judge yet.
    const open = trial?.undo.filter(({ unit }) => this.isOnTrial || this.#unknown.has(unit)) ?? [];
    const starts = this.isOnTrial ? (trial?.starts ?? 0) : 0;
    const before = undone(this.placements(state), open);
    const after = this.placements(next);
    const texts = await this.#texts(before);
    const undo = undoOf(before, after, (placed) => belongsHere(placed, spec, texts));
    this.#forget();
    this.#isRecalled = false;
    return undo.length === 0 ? next : { ...next, trial: { undo, starts } };
  }

  /** Looks again at what is on trial, as soon as its texts are here and before anything is done of it. */
  async learn(state: AgentState): Promise<void> {
    const trial = state.trial ?? null;
    if (trial === this.#learnt && this.#unknown.size === 0) return;
    this.#learnt = trial;
    const wasRisky = this.#risk !== null;
    const after = this.placements(state);
    const before = trial === null ? after : undone(after, trial.undo);
    const changed = new Set(trial?.undo.map(({ unit }) => unit));
    const texts = await this.#texts([...before, ...after].filter(({ unit }) => changed.has(unit)));
    this.#risk = changeRisk(before, after, (hash) => texts.get(hash) ?? null);
    this.#unknown = new Set(
      after.filter(({ unit, hash }) => changed.has(unit) && !texts.has(hash)).map(({ unit }) => unit),
    );
    if (this.#risk !== null && !wasRisky) this.#ports.log(notice(`on trial: ${riskText(this.#risk)}`));
  }

  /** At the beginning of a pass: what the state becomes by what was heard, or was not; null where it stays. */
  async judge(state: AgentState): Promise<AgentState | null> {
    await this.learn(state);
    const risk = this.#risk;
    const { trial, ...rest } = state;
    if (risk === null || trial === undefined) return null;
    const nowMs = this.#ports.clock.monotonicMs();
    if (this.#isRecalled) {
      this.#isRecalled = false;
      this.#startedMs = nowMs;
      const counted: Trial = { ...trial, starts: trial.starts + 1 };
      this.#learnt = counted;
      this.#watch(risk, counted);
      return { ...rest, trial: counted };
    }
    if (this.#startedMs === null) return null;
    const { heardMs, unheardMs } = this.#probe;
    const news = { startedMs: this.#startedMs, doneMs: this.#doneMs, heardMs, unheardMs };
    const verdict = judgeTrial(news, withinAfterStarts(risk.withinMs, trial.starts), nowMs);
    if (verdict === "wait") return null;
    this.#forget();
    if (verdict === "confirmed") {
      this.#ports.log(
        notice(`confirmed: this machine is reached after ${risk.units.map(({ unit }) => unit).join(" ")}`),
      );
      return rest;
    }
    this.#ports.log(warning(`not confirmed, what ran before is put back: ${riskText(risk)}`));
    return { ...rest, refusal: await this.#refuse(state, trial, risk) };
  }

  /** The units as this pass is to have them. */
  anew(wanted: readonly WantedUnit[], { refusal }: AgentState): readonly WantedUnit[] {
    const renew = new Set(refusal?.renew);
    if (renew.size === 0) return wanted;
    return wanted.map((unit) => (renew.has(unit.name) ? { ...unit, anew: true as const } : unit));
  }

  /** After a pass: what the state becomes by it; null where it stays. */
  ended(state: AgentState, { tasks, left, jobs }: PassEnd): AgentState | null {
    const isBusy = (unit: UnitName) => jobs.isBusy(unit);
    const acted = new Set(tasks.flatMap((task) => (task.kind === "reload" ? task.units : [task.unit])));
    const risk = this.#risk;
    if (risk !== null && state.trial !== undefined) {
      const nowMs = this.#ports.clock.monotonicMs();
      const isOpen = risk.changed.some(isBusy) || risk.units.some(({ unit }) => left.has(unit));
      if (!isOpen || risk.changed.some((unit) => acted.has(unit))) this.#startedMs ??= nowMs;
      if (!isOpen) this.#doneMs ??= nowMs;
      if (this.#startedMs !== null) this.#watch(risk, state.trial);
    }
    const { refusal } = state;
    const renew = refusal?.renew.filter((unit) => !acted.has(unit) && (left.has(unit) || isBusy(unit))) ?? [];
    if (refusal === undefined || renew.length === refusal.renew.length) return null;
    return { ...state, refusal: { ...refusal, renew } };
  }

  /** What is to be said of the machine, and of each unit that is not as the registry's set has it. */
  problem({ refusal }: AgentState): StatusProblem | null {
    if (refusal === undefined) return null;
    const risky = refusal.units.filter((one) => one.risky).map(({ unit }) => unit);
    const detail =
      `nobody was reached for ${refusal.withinMs / 1_000} s after the change of ${risky.join(", ")}: ` +
      "what ran before runs again, until it is changed otherwise";
    return { code: NOT_CONFIRMED, detail, journal: [], since: refusal.since };
  }

  problems(state: AgentState): ReadonlyMap<UnitName, StatusProblem> {
    const problem = this.problem(state);
    if (problem === null) return new Map();
    const { since: _ofMachine, ...said } = problem;
    const refused = refusedUnits(state.set?.placements ?? [], state.refusal ?? null);
    return new Map(refused.map(({ unit, offered }) => [unit, offered === null ? said : { ...said, of: offered.hash }]));
  }

  #watch({ withinMs }: ChangeRisk, { starts }: Trial): void {
    this.#probe.ask(withinAfterStarts(withinMs, starts));
  }

  #forget(): void {
    this.#startedMs = null;
    this.#doneMs = null;
    this.#learnt = null;
    this.#risk = null;
    this.#unknown = new Set();
    this.#probe.rest();
  }

  async #refuse(state: AgentState, trial: Trial, risk: ChangeRisk): Promise<Refusal> {
    const after = this.placements(state);
    const before = undone(after, trial.undo);
    const changed = new Set(risk.changed);
    const texts = await this.#texts(before);
    const renew = before.filter(
      ({ unit, hash, goal }) =>
        goal === "launched" && !changed.has(unit) && networkTouch(unit, texts.get(hash)?.files ?? []) !== null,
    );
    return {
      ...refuseChange(before, after, risk, state.refusal ?? null),
      since: new Date(this.#ports.clock.wallMs()).toISOString(),
      renew: renew.map(({ unit }) => unit),
    };
  }

  async #texts(placements: readonly PlacedUnit[]): Promise<ReadonlyMap<UnitHash, JudgedText>> {
    const texts = new Map<UnitHash, JudgedText>();
    for (const { hash } of placements) {
      const stored = await this.#ports.files.readUnit(hash);
      if (stored !== null) texts.set(hash, stored);
    }
    return texts;
  }
}

/** Nobody else runs it, for all that is known: the cluster has it no more, or everywhere; or without it nobody may get here. */
function belongsHere(
  { unit, hash }: PlacedUnit,
  spec: SpecPart | null,
  texts: ReadonlyMap<UnitHash, JudgedText>,
): boolean {
  const now = spec?.units.find(({ name }) => name === unit);
  if (spec !== null && (now === undefined || now.goal === "inactive" || now.options.global)) return true;
  return now?.stopAfterMs === undefined && networkTouch(unit, texts.get(hash)?.files ?? []) !== null;
}

function riskText({ units, withinMs }: ChangeRisk): string {
  const reasons = units.map(
    ({ unit, because }) => `${unit} (${because.code === "asked-for" ? "asked for" : because.by})`,
  );
  return `${reasons.join(", ")}, within ${withinMs / 1_000} s`;
}
