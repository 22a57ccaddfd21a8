import type { MachineId, UnitName } from "../../domain/names.ts";
import type {
  ClosedMachine,
  Deviation,
  StuckHandOff,
  WaitingFor,
  WaveBlocker,
} from "../../domain/report/engine-report.ts";
import { describePlacement, describeReject } from "./describe-reason.ts";

type NameOf = (machine: MachineId) => string;

/** How many of what a wave waits for are named. */
const BLOCKERS_NAMED_MAX = 3;

/** What has to happen first, as the end of "waits for …" or "waits until …". */
export function waitText(wait: WaitingFor, nameOf: NameOf): string {
  switch (wait.code) {
    case "wave":
      return waveText(wait.for, nameOf);
    case "hand-off":
      return `waits until ${nameOf(wait.from)} has stopped it, so that ${nameOf(wait.to)} may start it`;
    case "prepare":
      return `waits until ${nameOf(wait.machine)} has taken the release`;
    case "kept-out":
      return `waits for the rollout to go on: ${nameOf(wait.machine)} ${describeReject(wait.because)}`;
  }
}

function waveText(blockers: readonly WaveBlocker[], nameOf: NameOf): string {
  return blockers.length === 0
    ? "its wave has not come"
    : `its wave has not come: waits for ${blockersText(blockers, nameOf)}`;
}

/** What a wave waits for, by name, each with how it is. */
export function blockersText(blockers: readonly WaveBlocker[], nameOf: NameOf): string {
  const named = blockers
    .slice(0, BLOCKERS_NAMED_MAX)
    .map(({ unit, machine, state }) => `${unit} on ${nameOf(machine)} (${STATES[state]})`);
  const more = blockers.length - named.length;
  return `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

const STATES: Readonly<Record<WaveBlocker["state"], string>> = {
  settling: "up, not for long enough yet",
  starting: "on its way up",
  down: "down",
  unknown: "nobody knows yet how it is",
};

/** One that takes longer than its text allows. */
export function stuckHandOffText({ unit, machine }: StuckHandOff, nameOf: NameOf): string {
  return `${nameOf(machine)} does not let ${unit} go, and it is started nowhere else before`;
}

/** Units of each kind that are named of a drained machine. */
const STAYING_NAMED_MAX = 4;

/** What the commit closes a machine for, what is there all the same, and for one it does not list what would admit it. */
export function closedText({ machine, because, stays }: ClosedMachine, nameOf: NameOf): string {
  const name = nameOf(machine);
  switch (because) {
    case "not-admitted":
      return `${name} is not listed by the commit and gets nothing; to admit it: machines: { ${name}: { id: ${machine} } }`;
    case "cordoned":
      return `${name} is cordoned: nothing new comes`;
    case "drained": {
      const texts = stays.map(
        (one) => `${unitsText(one.units, one.more, STAYING_NAMED_MAX)} (${describePlacement(one.because, NO_NAMES)})`,
      );
      return `${name} is drained: ${texts.length === 0 ? "nothing stays" : `there stays ${texts.join(", ")}`}`;
    }
  }
}

const NO_NAMES: ReadonlyMap<MachineId, string> = new Map();

/** `web.service is on m1 and not on m2 as planned: m2 is lost`. */
export function deviationText({ unit, planned, actual, because }: Deviation, nameOf: NameOf): string {
  return `${unit} is on ${nameOf(actual)} and not on ${nameOf(planned)} as planned: ${deviationReason(because, nameOf(planned))}`;
}

export function deviationReason(because: Deviation["because"], planned: string): string {
  switch (because.code) {
    case "no-member":
      return `${planned} is no member any more`;
    case "stays":
      return "nothing moves back by itself";
    default:
      return `${planned} ${describeReject(because)}`;
  }
}

/** `web@1.service, web@2.service and 3 more`. */
export function unitsText(units: readonly UnitName[], more: number, max: number): string {
  const named = units.slice(0, max);
  const left = units.length - named.length + more;
  return `${named.join(", ")}${left > 0 ? ` and ${left} more` : ""}`;
}
