import type { Plan } from "../domain/plan/plan.ts";

/** What a plan decides to change, a line each and sorted: enough to say in which of them two plans differ. */
export function changeLines({ changes, machines }: Pick<Plan, "changes" | "machines">): string[] {
  const names = new Map(machines.map(({ id, name }) => [id, name]));
  return changes
    .map(({ action, effect, unit, from, to }) => {
      const places = [from, to].flatMap((side) =>
        side === null ? [] : [names.get(side.machine) ?? side.machine.slice(0, 8)],
      );
      const where = [...new Set(places)].join(" -> ");
      const version = to === null ? "" : ` (${to.hash.slice(0, 7)}${to.goal === "launched" ? "" : `, ${to.goal}`})`;
      return `${action} ${unit} on ${where}: ${effect}${version}`;
    })
    .sort();
}

/** Further ones are counted. */
const LINES_MAX = 40;

/** `-` what was reviewed and is not planned any more, `+` what nobody reviewed. */
export function changesDifference(reviewed: readonly string[], now: readonly string[]): string {
  const [before, after] = [new Set(reviewed), new Set(now)];
  const lines = [
    ...reviewed.filter((line) => !after.has(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !before.has(line)).map((line) => `+ ${line}`),
  ];
  if (lines.length === 0) return "the same changes, to other units or another placement of the rest";
  const more = lines.length - LINES_MAX;
  return [...lines.slice(0, LINES_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}
