import type { Member } from "../../domain/cluster/cluster-snapshot.ts";
import type { MachineId } from "../../domain/names.ts";
import type { UnitExplanation, WhyLink } from "../../domain/why/unit-explanation.ts";
import type { ExplainedUnits } from "../../usecases/explain-units.ts";
import { holdUntil } from "./hold-until.ts";
import { printableLine } from "./printable.ts";
import { linkLines, type WhyContext } from "./why-link-text.ts";
import { nextStep, verdictText } from "./why-verdict-text.ts";

/** Some screens of chains; whoever wants more asks for fewer units. */
const CHAINS_SHOWN_MAX = 5;
const MACHINES_NAMED_MAX = 5;
/** Lines of those that are only named; the JSON has all. */
const LINES_MAX = 40;

const TITLES: Readonly<Record<WhyLink["link"] | "next", string>> = {
  commit: "commit",
  files: "files",
  goal: "goal",
  group: "group",
  placement: "placed",
  unplaced: "placed",
  engine: "engine",
  set: "set",
  agent: "agent",
  systemd: "systemd",
  next: "next",
};
const TITLE_CELLS = Math.max(...Object.values(TITLES).map(({ length }) => length));

/**
 * One chain a unit and machine: the answer, then every link from the commit to the journal; `>` marks the one that breaks. Of many, those
 * that are as wanted are only named.
 */
export function whyText({ explanations }: ExplainedUnits, members: readonly Member[], nowMs: number): string {
  const names = new Map(members.map(({ id, name }) => [id, name]));
  const nameOf = (machine: MachineId) => names.get(machine) ?? machine;
  const units = [...Map.groupBy(explanations, ({ unit }) => unit).values()];
  const whole = units.length <= CHAINS_SHOWN_MAX ? units.flatMap(shownOf) : explanations.filter(isWrong);
  const shown = new Set(whole.slice(0, CHAINS_SHOWN_MAX));
  const context = { nowMs, names, nameOf };
  const chains = explanations
    .filter((chain) => shown.has(chain))
    .map((chain) => chainText(chain, { ...context, machine: chain.machineName ?? "" }));
  const rest = explanations.filter((chain) => !shown.has(chain));
  const heads = rest.filter(isWrong).map((chain) => headText(chain, nameOf, nowMs));
  const named = units.flatMap((chains) => asWanted(chains.filter((chain) => !shown.has(chain) && !isWrong(chain))));
  const list = [...limited(heads), ...limited(named)].join("\n");
  return [...chains, ...(list === "" ? [] : [list])].join("\n\n");
}

function isWrong({ verdict }: UnitExplanation): boolean {
  return verdict.state !== "as-wanted";
}

/** Of a unit on many machines, where it is not as wanted; where it is everywhere, the first stands for all. */
function shownOf(chains: readonly UnitExplanation[]): readonly UnitExplanation[] {
  const wrong = chains.filter(isWrong);
  return wrong.length === 0 ? chains.slice(0, 1) : wrong;
}

function asWanted(chains: readonly UnitExplanation[]): string[] {
  const [first] = chains;
  if (first === undefined) return [];
  const places = chains.flatMap(({ machineName }) => (machineName === null ? [] : [machineName]));
  const more = places.length - MACHINES_NAMED_MAX;
  const where = places.slice(0, MACHINES_NAMED_MAX).join(", ");
  const on = places.length === 0 ? "" : ` on ${where}${more > 0 ? ` and ${more} more` : ""}`;
  return [`* ${first.unit} is as wanted${on}`];
}

function limited(lines: readonly string[]): string[] {
  const more = lines.length - LINES_MAX;
  return [...lines.slice(0, LINES_MAX), ...(more > 0 ? [`and ${more} more`] : [])];
}

function headText(chain: UnitExplanation, nameOf: WhyContext["nameOf"], nowMs: number): string {
  return printableLine(verdictText(chain, nameOf, nowMs));
}

function chainText(chain: UnitExplanation, context: WhyContext): string {
  const next = nextStep(chain);
  const broken = chain.verdict.link;
  return [
    headText(chain, context.nameOf, context.nowMs),
    ...chain.links.flatMap((link) => titled(TITLES[link.link], linkLines(link, context), link.link === broken)),
    ...(next === null ? [] : titled(TITLES.next, [next], false)),
  ].join("\n");
}

function titled(title: string, lines: readonly string[], isBroken: boolean): string[] {
  return lines
    .map(printableLine)
    .map((line, index) =>
      index === 0
        ? `${isBroken ? ">" : " "} ${title.padEnd(TITLE_CELLS)}  ${line}`
        : `  ${" ".repeat(TITLE_CELLS)}  ${line}`,
    );
}

/** The same for programs: links as data, times as RFC 3339, and the next step. */
export function whyJson({ explanations, unknown }: ExplainedUnits): object {
  return {
    units: explanations.map((chain) => ({
      ...chain,
      links: chain.links.map((link) =>
        link.link === "agent" && link.hold !== null
          ? { ...link, hold: { ...link.hold, until: holdUntil(link.hold) } }
          : link,
      ),
      next: nextStep(chain),
    })),
    unknown: unknown.map(({ asked, because }) => ({ asked, because })),
  };
}
