import { compileGlob } from "../unit/glob.ts";

export type PathPattern = (path: string) => boolean;

/**
 * Patterns of paths from the repository's root, any of which may match: globs (`*`, `?`, `[a-z]`) of one step each, and `**` for any
 * number of steps, none included. A pattern without a wildcard that names a folder is that folder's files too. Null where one is
 * malformed. Takes at most the product of the steps of both.
 */
export function compilePaths(patterns: readonly string[]): PathPattern | null {
  const compiled = patterns.map(compilePath);
  if (compiled.some((one) => one === null)) return null;
  return (path) => compiled.some((matches) => matches?.(path));
}

function compilePath(pattern: string): PathPattern | null {
  const steps: (((name: string) => boolean) | "any")[] = [];
  const written = pattern.split("/");
  if (written.some((step) => step === "" || step === "." || step === "..")) return null;
  for (const step of written) {
    const matches = step === "**" ? "any" : compileGlob(step);
    if (matches === null || (step !== "**" && step.includes("**"))) return null;
    if (matches !== "any" || steps.at(-1) !== "any") steps.push(matches);
  }
  // `clusters/prod` would otherwise be a rule that never holds.
  if (!/[*?[\\]/.test(pattern)) steps.push("any");
  return (path) => matchesSteps(steps, path.split("/"));
}

/** Whether all steps are used up by all names: from each step on, which names may come next. */
function matchesSteps(steps: readonly (((name: string) => boolean) | "any")[], names: readonly string[]): boolean {
  let reached = new Set([0]);
  for (const step of steps) {
    const next = new Set<number>();
    // What is reached first can be gone on from to every later name.
    if (step === "any") for (let to = first(reached); to <= names.length; to++) next.add(to);
    else for (const at of reached) if (at < names.length && step(names[at]!)) next.add(at + 1);
    reached = next;
  }
  return reached.has(names.length);
}

function first(reached: ReadonlySet<number>): number {
  return [...reached].reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
}
