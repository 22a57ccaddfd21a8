import { compareText, type UnitName } from "../names.ts";
import { closestName } from "../unit/closest-name.ts";
import { compileGlob } from "../unit/glob.ts";
import { serviceNameOf, unitNameParts } from "../unit/unit-name.ts";

/** Where a name is known, most useful first. */
export interface KnownNames {
  /** Of the release, or on a machine. */
  readonly cluster: ReadonlySet<UnitName>;
  /** Of the commit the repository has out; null where there is none, or it is the release's. */
  readonly head: ReadonlySet<UnitName> | null;
  /** Of its working tree; null where it was not looked at. */
  readonly worktree: ReadonlySet<UnitName> | null;
}

export type FoundUnits =
  /** Sorted; never empty. */
  | { readonly kind: "found"; readonly units: readonly UnitName[] }
  | { readonly kind: "unknown"; readonly asked: string; readonly because: UnknownBecause };

/** Why the cluster has no such unit. */
export type UnknownBecause =
  /** It is in the commit the repository has out, which nobody has applied. */
  | { readonly code: "not-applied"; readonly units: readonly UnitName[] }
  /** It is in the working tree, which nobody has committed. */
  | { readonly code: "not-committed"; readonly units: readonly UnitName[] }
  /** `web@.service`: the template has no such instance; these it has. */
  | { readonly code: "no-instance"; readonly instances: readonly UnitName[] }
  | { readonly code: "no-such-unit"; readonly meant: UnitName | null };

/**
 * The units somebody means: by name, without `.service`, by the name systemd knows a quadlet by, by a template's for all its
 * instances, or by a glob. Where the cluster has none, where else there is one, or which was most likely meant.
 */
export function findUnits(asked: string, known: KnownNames): FoundUnits {
  const units = matching(asked, known.cluster);
  if (units.length > 0) return { kind: "found", units };
  const unknown = (because: UnknownBecause): FoundUnits => ({ kind: "unknown", asked, because });
  const inHead = matching(asked, known.head ?? []);
  if (inHead.length > 0) return unknown({ code: "not-applied", units: inHead });
  const inWorktree = matching(asked, known.worktree ?? []);
  if (inWorktree.length > 0) return unknown({ code: "not-committed", units: inWorktree });
  const instances = siblings(fullName(asked), known.cluster);
  if (instances.length > 0) return unknown({ code: "no-instance", instances });
  const everywhere = [...known.cluster, ...(known.head ?? []), ...(known.worktree ?? [])];
  return unknown({ code: "no-such-unit", meant: closestName(fullName(asked), everywhere) as UnitName | null });
}

const GLOB = /[*?[]/;

function fullName(asked: string): string {
  return asked.includes(".") ? asked : `${asked}.service`;
}

function matching(asked: string, names: Iterable<UnitName>): UnitName[] {
  const all = [...names];
  const name = fullName(asked);
  const matches = GLOB.test(asked) ? (compileGlob(asked) ?? (() => false)) : (text: string) => text === name;
  const isOne = (unit: UnitName) => matches(unit) || matches(serviceNameOf(unit));
  const found = all.filter(isOne);
  const instances = found.length > 0 ? found : all.filter((unit) => unitNameParts(unit).template === name);
  return instances.sort(compareText);
}

/** Other instances of the template an instance is asked of. */
function siblings(name: string, names: Iterable<UnitName>): UnitName[] {
  const at = name.indexOf("@");
  if (at === -1) return [];
  const template = `${name.slice(0, at)}@${name.slice(name.lastIndexOf("."))}`;
  return [...names].filter((unit) => unitNameParts(unit).template === template).sort(compareText);
}
