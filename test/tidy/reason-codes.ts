import { textOf, trackedFiles, withoutComments } from "./sources.ts";

/** A seat's word for a group that left another machine; every unit of it gets a reason of its own. */
const INTERNAL: ReadonlySet<string> = new Set(["left"]);

/** Codes of every reason the domain gives: the members of its unions, `readonly code: "…"`. Diagnostics carry theirs as text. */
export function reasonCodes(): readonly string[] {
  const codes = new Set<string>();
  for (const path of trackedFiles()) {
    if (!/^src\/domain\/.*\.ts$/.test(path) || path.endsWith(".test.ts")) continue;
    for (const [, union] of withoutComments(textOf(path)).matchAll(
      /readonly code:\s+(?:\|\s*)?((?:"[a-z-]+"(?:\s*\|\s*)?)+)/g,
    )) {
      for (const [, code] of union!.matchAll(/"([a-z-]+)"/g)) if (!INTERNAL.has(code!)) codes.add(code!);
    }
  }
  return [...codes].sort();
}
