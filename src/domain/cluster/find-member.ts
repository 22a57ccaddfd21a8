import { compareText } from "../names.ts";
import { closestName } from "../unit/closest-name.ts";
import type { Member } from "./cluster-snapshot.ts";

export type FoundMember<M> =
  | { readonly kind: "found"; readonly member: M }
  /** Several fit, sorted by name: no order among them would be a reason to take one. */
  | { readonly kind: "ambiguous"; readonly among: readonly M[] }
  | { readonly kind: "unknown"; readonly meant: string | null };

/**
 * The machine somebody means: by its name, by its id, or by the beginning of its id, as fleetctl took it and as `list-machines` prints
 * it (`85c0c595...`). A name goes before the beginning of another one's id.
 */
export function findMember<M extends Pick<Member, "id" | "name">>(
  asked: string,
  members: readonly M[],
): FoundMember<M> {
  const named = members.filter(({ id, name }) => id === asked || name === asked);
  const prefix = asked.replace(/\.{3}$/, "").toLowerCase();
  const found = named.length > 0 || prefix === "" ? named : members.filter(({ id }) => id.startsWith(prefix));
  const [first] = found;
  if (first === undefined) {
    return {
      kind: "unknown",
      meant: closestName(
        asked,
        members.map(({ name }) => name),
      ),
    };
  }
  if (found.length === 1) return { kind: "found", member: first };
  return {
    kind: "ambiguous",
    among: [...found].sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id)),
  };
}
