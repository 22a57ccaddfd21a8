import type { Member } from "../../domain/cluster/cluster-snapshot.ts";
import type { MachineId } from "../../domain/names.ts";
import type { UnitExplanation, WhyLink } from "../../domain/why/unit-explanation.ts";
import type { ExplainedUnits } from "../../usecases/explain-units.ts";
import { holdUntil } from "./hold-until.ts";
import { printableLine } from "./printable.ts";
import { linkLines, type WhyContext } from "./why-link-text.ts";
import { nextStep, verdictText } from "./why-verdict-text.ts";

/** A screen of chains; of a global unit's many machines those that are not as wanted come first. */
const CHAINS_SHOWN_MAX = 5;

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

/** One chain a unit and machine: the answer, then every link from the commit to the journal; `>` marks the one that breaks. */
export function whyText({ explanations }: ExplainedUnits, members: readonly Member[], nowMs: number): string {
  const names = new Map(members.map(({ id, name }) => [id, name]));
  const byUnit = Map.groupBy(explanations, ({ unit }) => unit);
  return [...byUnit.values()].flatMap((chains) => unitTexts(chains, names, nowMs)).join("\n\n");
}

function unitTexts(chains: readonly UnitExplanation[], names: ReadonlyMap<MachineId, string>, nowMs: number): string[] {
  const nameOf = (machine: MachineId) => names.get(machine) ?? machine;
  const isWrong = ({ verdict }: UnitExplanation) => verdict.state !== "as-wanted";
  const wrong = chains.filter(isWrong);
  const shown = (wrong.length === 0 ? chains.slice(0, 1) : wrong).slice(0, CHAINS_SHOWN_MAX);
  const rest = chains.filter((chain) => !shown.includes(chain));
  const text = (chain: UnitExplanation) => chainText(chain, { nowMs, names, nameOf, machine: chain.machineName ?? "" });
  return [
    ...shown.map(text),
    ...rest.filter(isWrong).map((chain) => headText(chain, nameOf, nowMs)),
    ...asWantedElsewhere(rest.filter((chain) => !isWrong(chain))),
  ];
}

function headText(chain: UnitExplanation, nameOf: WhyContext["nameOf"], nowMs: number): string {
  return printableLine(verdictText(chain, nameOf, nowMs));
}

function asWantedElsewhere(chains: readonly UnitExplanation[]): string[] {
  const [first] = chains;
  if (first === undefined) return [];
  const named = chains.slice(0, CHAINS_SHOWN_MAX).map(({ machineName }) => machineName ?? "");
  const more = chains.length - named.length;
  return [`* ${first.unit} is as wanted on ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`];
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
