import type { PlanReport } from "../../domain/plan/plan-report.ts";
import type { UnitDiff } from "../../usecases/diff-plan.ts";
import { changeGroups } from "./change-rows.ts";
import { counted } from "./counted.ts";
import { unitDiffText } from "./diff-text.ts";
import { imageLines } from "./image-lines.ts";
import { markdownFence, markdownText } from "./markdown-text.ts";
import {
  awayLines,
  brokenLines,
  driftLine,
  headline,
  lossLines,
  partitionLines,
  refusalLines,
  ringLines,
  stayLines,
  trialLines,
  unplacedLines,
  waveLines,
} from "./plan-lines.ts";
import { stoppedReleaseLines } from "./stopped-release-text.ts";
import { whatIfText } from "./what-if-text.ts";

/** A forge's comment holds 65,536 characters; this leaves room for what somebody puts around it, whatever they count in. */
export const MARKDOWN_BYTES_MAX = 60_000;

/**
 * The plan for a pull request: what needs a decision first, then every change, then the film and the differences, folded. What does not
 * fit is left out by whole lines, the differences first, and said: a cut plan is none to approve from. Nothing in it can end
 * a fence, a cell or a line early, start markup or call somebody by name.
 */
export function planMarkdown(
  report: PlanReport,
  diffs: readonly UnitDiff[],
  { bytesMax = MARKDOWN_BYTES_MAX }: { readonly bytesMax?: number } = {},
): string {
  const { plan } = report;
  const names = new Map(plan.machines.map((machine) => [machine.id, machine.name]));
  const changed = plan.changes.length + plan.unplaced.length + plan.unknown.length > 0;
  const page = new Page(bytesMax - Buffer.byteLength(TRUNCATED));
  page.add([
    `### ${markdownText(`${plan.cluster}: ${changed ? headline(plan) : "no changes"}`)}`,
    "",
    factsLine(report),
  ]);
  const warnings = [
    ...stoppedReleaseLines(report),
    ...unplacedLines(plan.unplaced),
    ...brokenLines(report.broken),
    ...refusalLines(plan),
  ];
  page.addSection(warnings.map(listItem));
  page.addSection(
    [
      ...awayLines(plan),
      ...ringLines(plan),
      ...stayLines(plan),
      ...imageLines(report),
      ...trialLines(report, names),
      ...lossLines(report, names),
      ...partitionLines(report),
      ...driftLine(report),
    ].map(listItem),
  );
  page.addTable(
    ["", "Effect", "Unit", "Machine", "Why"],
    changeGroups(plan).flatMap(({ effect, rows }) =>
      rows.map(({ sign, unit, where, why }) => [
        `\`${sign}\``,
        effect,
        code(unit),
        markdownText(where),
        markdownText(why),
      ]),
    ),
  );
  page.addTable(
    ["", "Would run"],
    plan.unknown.map((unit) => ["`+`", code(unit)]),
  );
  page.addFolded(
    "Waves",
    "text",
    waveLines(plan, names).map((line) => `${line}\n`),
  );
  const losses = report.whatIf.length === 0 ? [] : [`${whatIfText(report.whatIf, plan.machines)}\n`];
  page.addFolded("What losses of machines would do", "text", losses);
  page.addFolded("Differences, as systemd reads the units", "diff", diffs.map(unitDiffText));
  return page.text();
}

/** What is further in on a terminal belongs to the line above. */
function listItem(line: string): string {
  return `${line.startsWith(" ") ? "  " : ""}- ${markdownText(line.replace(/^! /, "").trim())}`;
}

function factsLine({ plan, revision }: PlanReport): string {
  const { base, commit, partial } = plan;
  return [
    `commit \`${commit.slice(0, 7)}\``,
    base.releaseCommit === null ? "no release yet" : `was \`${base.releaseCommit.slice(0, 7)}\``,
    counted(plan.machines.length, "machine"),
    ...(revision === 0 ? [] : [`registry ${revision}`]),
    `content \`${plan.contentId.slice(0, 12)}\``,
    ...(partial === null ? [] : [`**a view of ${markdownText(partial)}: cannot be applied**`]),
  ].join(", ");
}

/** systemd takes letters, digits and `:-_.\@`, and we put braces round instances; what a plan file holds beyond is text like any other. */
function code(unit: string): string {
  return /^[\w:.@\\{},…-]+$/.test(unit) ? `\`${unit}\`` : markdownText(unit);
}

/** How a page ends of which something was left out. */
export const TRUNCATED =
  "\n\n**Truncated: do not approve from this. The whole plan is in the plan file and in the log.**\n";

/** Lines up to a number of bytes; from the first that does not fit on, none. */
class Page {
  readonly #lines: string[] = [];
  #left: number;
  #isTruncated = false;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  add(lines: readonly string[]): void {
    for (const line of lines) this.#tryAll([line]);
  }

  addSection(lines: readonly string[]): void {
    if (lines.length > 0) this.add(["", ...lines]);
  }

  addTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
    if (rows.length === 0) return;
    const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
    this.#tryAll(["", row(header), row(header.map(() => "---")), row(rows[0]!)]);
    for (const cells of rows.slice(1)) this.#tryAll([row(cells)]);
  }

  /** Each block whole or not at all, and the fold closed whatever fits. */
  addFolded(title: string, language: string, blocks: readonly string[]): void {
    if (blocks.length === 0) return;
    const fence = markdownFence(blocks.join(""));
    const open = ["", `<details><summary>${title}</summary>`, "", `${fence}${language}`];
    const close = [fence, "", "</details>"];
    const fitting: string[] = [];
    let bytes = bytesOf([...open, ...close]);
    for (const block of blocks) {
      bytes += Buffer.byteLength(block);
      if (this.#isTruncated || bytes > this.#left) {
        this.#isTruncated = true;
        break;
      }
      fitting.push(block);
    }
    if (fitting.length > 0)
      this.#tryAll([...open, ...fitting.map((block) => block.replace(/\n$/, "")), ...close], true);
  }

  text(): string {
    return `${this.#lines.join("\n")}${this.#isTruncated ? TRUNCATED : "\n"}`;
  }

  #tryAll(lines: readonly string[], isMeasured = false): void {
    const bytes = bytesOf(lines);
    if (!isMeasured && (this.#isTruncated || bytes > this.#left)) {
      this.#isTruncated = true;
      return;
    }
    this.#left -= bytes;
    this.#lines.push(...lines);
  }
}

function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
}
