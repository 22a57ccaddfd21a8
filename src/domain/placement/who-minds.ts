import { compareText, type UnitName } from "../names.ts";
import type { SpecUnit } from "../spec/cluster-spec.ts";
import { compileGlob } from "../unit/glob.ts";
import type { Atom } from "./atoms.ts";
import type { RejectReason } from "./placement.ts";

/** The first pair, by name, of a unit of the atom and one of the residents that may not share a machine. Asked only to explain. */
export function conflictBetween(atom: Atom, residents: Iterable<Atom>): RejectReason | null {
  const others = unitsOf(residents, atom);
  for (const unit of atom.units) {
    const other = others.find(({ atom: owner, unit: there }) => {
      const displacesGlobal =
        owner.group.global && atom.replaces.length > 0 && names(unit.options.replaces, there.name);
      return names(unit.options.conflicts, there.name) || names(there.options.conflicts, unit.name) || displacesGlobal;
    });
    if (other !== undefined) return { code: "conflict", unit: unit.name, with: other.unit.name };
  }
  return null;
}

/** The first unit, by name, of the residents that replaces a unit of the atom; null where none does. */
export function replacerOf(atom: Atom, residents: Iterable<Atom>): UnitName | null {
  const replacers = unitsOf(residents, atom).filter(({ atom: owner }) => owner.replaces.length > 0);
  const replacer = replacers.find(({ unit }) => atom.units.some((own) => names(unit.options.replaces, own.name)));
  return replacer?.unit.name ?? null;
}

function unitsOf(atoms: Iterable<Atom>, except: Atom): { readonly atom: Atom; readonly unit: SpecUnit }[] {
  return [...atoms]
    .filter((atom) => atom !== except)
    .flatMap((atom) => atom.units.map((unit) => ({ atom, unit })))
    .sort((a, b) => compareText(a.unit.name, b.unit.name));
}

function names(globs: readonly string[], unit: UnitName): boolean {
  return globs.some((glob) => compileGlob(glob)?.(unit) ?? false);
}
