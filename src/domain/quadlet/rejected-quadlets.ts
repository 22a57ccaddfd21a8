import type { UnitName } from "../names.ts";
import { serviceNameOf } from "../unit/unit-name.ts";

/** What podman's generator said in a dry run. */
export interface GeneratorSaid {
  readonly services: ReadonlySet<UnitName>;
  readonly words: readonly string[];
}

/** So much of what a generator says is told of one quadlet: a status has its limits. */
const WORDS_MAX = 500;

/**
 * The quadlets a generator would make nothing of, or not what they say, each with its words. Where it could not read a file it reads none
 * of the folder (podman 5.4.2): then only that file's quadlet is told, and the others are known by another run without it.
 */
export function rejectedQuadlets(quadlets: readonly UnitName[], said: GeneratorSaid): Map<UnitName, string> {
  const rejected = new Map<UnitName, string>();
  const known = new Set(quadlets);
  const unclaimed: string[] = [];
  for (const line of said.words) {
    const named = quadletOf(line, known);
    if (named === null) unclaimed.push(line);
    else rejected.set(named, shortened([rejected.get(named) ?? "", line].filter((text) => text !== "").join("; ")));
  }
  const isAnyMade = quadlets.some((name) => said.services.has(serviceNameOf(name)));
  if (!isAnyMade && rejected.size > 0) return rejected;
  const why =
    unclaimed.length > 0 ? unclaimed.join("; ") : "podman's generator makes no service of it, and says nothing";
  for (const name of quadlets) {
    if (!rejected.has(name) && !said.services.has(serviceNameOf(name))) rejected.set(name, shortened(why));
  }
  return rejected;
}

/** The first name in quotes says whom a line is about; `converting "a.container": …`, `error loading "…/a.container.d/10.conf", …`. */
function quadletOf(line: string, known: ReadonlySet<UnitName>): UnitName | null {
  const path = /["']([^"']+)["']/.exec(line)?.[1] ?? "";
  const parts = path.split("/").map((part) => part.replace(/\.d$/, "") as UnitName);
  return parts.findLast((part) => known.has(part)) ?? null;
}

function shortened(text: string): string {
  return text.length <= WORDS_MAX ? text : `${text.slice(0, WORDS_MAX)}…`;
}
