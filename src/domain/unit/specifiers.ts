import type { UnitName } from "../names.ts";
import { unescapeUnitName } from "./escape-unit-name.ts";
import { unitNameParts } from "./unit-name.ts";

export interface ExpandedText {
  readonly text: string;
  /** Specifiers left as they stand, because only the machine knows them (`%H`, `%m`, …) or nobody does. In order, unique. */
  readonly left: readonly string[];
}

/**
 * Replaces the specifiers a unit's name answers: `%n %N %p %i %j`, unescaped `%P %I %J`, and `%%`. As in systemd,
 * `%i` of a unit that is no instance is empty. One pass: what a replacement brings in is not expanded again.
 */
export function expandSpecifiers(text: string, name: UnitName): ExpandedText {
  if (!text.includes("%")) return { text, left: [] };
  const left = new Set<string>();
  const expanded = text.replace(/%(.)/gsu, (specifier, letter: string) => {
    const value = valueOfSpecifier(letter, name);
    if (value === null) left.add(specifier);
    return value ?? specifier;
  });
  return { text: expanded, left: [...left] };
}

function valueOfSpecifier(letter: string, name: UnitName): string | null {
  const { prefix, instance } = unitNameParts(name);
  switch (letter) {
    case "%":
      return "%";
    case "n":
      return name;
    case "N":
      return name.slice(0, name.lastIndexOf("."));
    case "p":
      return prefix;
    case "i":
      return instance ?? "";
    case "j":
      return lastComponent(prefix);
    case "P":
      return unescapeUnitName(prefix);
    case "I":
      return unescapeUnitName(instance ?? "");
    case "J":
      return unescapeUnitName(lastComponent(prefix));
    default:
      return null;
  }
}

function lastComponent(prefix: string): string {
  return prefix.slice(prefix.lastIndexOf("-") + 1);
}
