import type { MachineId } from "../names.ts";

/** Which machines are meant: one language for MachineMetadata, the manifest's `machines:` keys and `--without`. */
export type Selector =
  | { readonly kind: "machine"; readonly nameOrId: string }
  /** `not`: machines whose value is none of these, and those without the key. */
  | {
      readonly kind: "metadata";
      readonly key: string;
      readonly values: readonly string[];
      readonly not?: true;
    };

/** Longer than any line of a unit file may be; the limit is for the command line and the manifest. */
const SELECTOR_MAX = 2048;

/** What a selector by metadata must be, for people. */
export const METADATA_FORM = "key=value, key!=value, key in (a, b) or key notin (a, b)";

/** A host name's characters and length; a full machine id is one too, and is told apart when matched. */
const MACHINE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const KEY = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;
/** No blanks, quotes, `=`, commas or parentheses: `role=db role=web` is a mistake and not a value. */
const VALUE = /^[A-Za-z0-9._/:@+-]+$/;

/**
 * Reads `role=db`, `role!=db`, `zone in (a, b)`, `zone notin (a, b)`, a machine's name or its full id. The problem is a sentence's part, fit for a
 * diagnostic's `saw`. Values come sorted and unique.
 */
export function parseSelector(text: string): Selector | { readonly problem: string } {
  if (text.length > SELECTOR_MAX) return { problem: `a selector of ${text.length} characters` };
  const trimmed = text.trim();
  const shown = JSON.stringify(trimmed);
  if (trimmed === "") return { problem: "an empty selector" };
  const list = /^([^\s=()]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(trimmed);
  if (list !== null) {
    const [, key, word, values] = list;
    const given = values!.split(",").map((value) => value.trim());
    return metadataSelector(key!, given, word === "notin", shown);
  }
  const halves = trimmed.split("=");
  if (halves.length === 2) {
    const not = halves[0]!.endsWith("!");
    const key = not ? halves[0]!.slice(0, -1) : halves[0]!;
    return metadataSelector(key.trim(), [halves[1]!.trim()], not, shown);
  }
  if (halves.length > 2) return { problem: `${halves.length - 1} "=" in the selector ${shown}` };
  if (MACHINE.test(trimmed)) return { kind: "machine", nameOrId: trimmed };
  return { problem: `${shown}, which is neither ${METADATA_FORM.replace(" or ", ", nor ")}, nor a machine` };
}

function metadataSelector(
  key: string,
  values: readonly string[],
  not: boolean,
  shown: string,
): Selector | { readonly problem: string } {
  if (key === "") return { problem: `no key in the selector ${shown}` };
  if (!KEY.test(key)) return { problem: `the key ${JSON.stringify(key)} in the selector ${shown}` };
  const bad = values.find((value) => !VALUE.test(value));
  if (bad === "") return { problem: `an empty value in the selector ${shown}` };
  if (bad !== undefined) return { problem: `the value ${JSON.stringify(bad)} in the selector ${shown}` };
  return metadataIn(key, values, not);
}

/** Values sorted and unique, as every selector has them. */
export function metadataIn(key: string, values: readonly string[], not: boolean): Extract<Selector, { key: string }> {
  return { kind: "metadata", key, values: [...new Set(values)].sort(), ...(not ? { not } : {}) };
}

/** Whether it may be the key of a machine's metadata. */
export function isMetadataKey(text: string): boolean {
  return text.length <= SELECTOR_MAX && KEY.test(text);
}

/** The selector's one canonical spelling; `parseSelector` reads it back to the same. */
export function printSelector(selector: Selector): string {
  if (selector.kind === "machine") return selector.nameOrId;
  const { key, values, not } = selector;
  if (values.length === 1) return `${key}${not ? "!=" : "="}${values[0]}`;
  return `${key} ${not ? "notin" : "in"} (${values.join(", ")})`;
}

/** A machine without the key matches nothing about it but that it is not so. */
export function matchesSelector(
  selector: Selector,
  machine: { readonly id: MachineId; readonly name: string; readonly metadata: Readonly<Record<string, string>> },
): boolean {
  if (selector.kind === "machine") return selector.nameOrId === machine.name || selector.nameOrId === machine.id;
  const value = Object.hasOwn(machine.metadata, selector.key) ? machine.metadata[selector.key]! : null;
  return (value !== null && selector.values.includes(value)) !== (selector.not === true);
}
