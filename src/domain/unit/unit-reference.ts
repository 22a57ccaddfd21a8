import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import type { EffectiveUnit, EffectiveValue } from "./effective-unit.ts";
import { expandSpecifiers } from "./specifiers.ts";
import { splitWords } from "./split-words.ts";
import { checkUnitName, instantiate, serviceNameOf, unitNameParts } from "./unit-name.ts";

/** A unit named by another. Whether the commit has it, under this name or as a quadlet's service, is the caller's to find. */
export interface UnitReference {
  readonly unit: UnitName;
  /** The directive, such as `Requires=`. */
  readonly by: string;
  readonly at: SourceLocation;
}

/** Reads names out of one unit's directives, expands them as systemd would, and keeps what it could not read. */
export class ReferenceReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #unit: EffectiveUnit;
  /** A quadlet's specifiers are expanded by systemd, in the service made from it. */
  readonly #name: UnitName;

  constructor(name: UnitName, unit: EffectiveUnit) {
    this.#name = serviceNameOf(name);
    this.#unit = unit;
  }

  /** Dependency lists, in the order of the files. No reset: systemd lets drop-ins add dependencies and never take one away. */
  list(section: string, ...keys: readonly string[]): UnitReference[] {
    const found: UnitReference[] = [];
    for (const assignment of this.#unit.assignments(section)) {
      const { key, value } = assignment;
      if (value === "" || !keys.includes(key)) continue;
      const { words, isCut } = splitWords(value);
      if (isCut) {
        this.#warn(assignment, `an unclosed quote in ${key}=`, "systemd reads nothing from the quote on");
      }
      for (const word of words) found.push(...this.one(word, key, assignment));
    }
    return found;
  }

  /** One name. A template without instance becomes one as in systemd: with our own instance, or with our prefix. */
  one(word: string, key: string, value: EffectiveValue): UnitReference[] {
    const name = this.exactly(word, key, value);
    return name.map((reference) => ({ ...reference, unit: this.#withInstance(reference.unit) }));
  }

  /** One name where a template means the template: `Service=` of an accepting socket. */
  exactly(word: string, key: string, value: EffectiveValue): UnitReference[] {
    const { text, left } = expandSpecifiers(word, this.#name);
    // What only the machine knows may still stand in the instance: the template is known then, and has to be there.
    const known = left.length > 0 ? text.replace(/@.*(\.[a-z]+)$/, "@$1") : text;
    if (known.includes("%") && left.length > 0) return [];
    const checked = checkUnitName(known);
    if ("problem" in checked) {
      this.#warn(value, `${checked.problem} in ${key}=`, "systemd ignores it with a warning in the journal");
      return [];
    }
    return [{ unit: checked.name, by: `${key}=`, at: value.at }];
  }

  #withInstance(name: UnitName): UnitName {
    if (!unitNameParts(name).isTemplate) return name;
    const { prefix, instance, isTemplate } = unitNameParts(this.#name);
    if (isTemplate) return name;
    return instantiate(name, instance ?? prefix) ?? name;
  }

  #warn(value: EffectiveValue, saw: string, next: string): void {
    this.diagnostics.push({ code: "unit-reference", severity: "warning", at: value.at, saw, next });
  }
}

/** By unit, then directive; each pair once. */
export function sortedReferences(references: readonly UnitReference[]): readonly UnitReference[] {
  if (references.length < 2) return references;
  const sorted = references.toSorted((a, b) => compareText(a.unit, b.unit) || compareText(a.by, b.by));
  return sorted.filter(
    (one, index) => index === 0 || one.unit !== sorted[index - 1]!.unit || one.by !== sorted[index - 1]!.by,
  );
}
