import type { MachineId } from "../names.ts";

/** Which machines are meant: one language for MachineMetadata, the manifest's `machines:` keys and `--without`. */
export type Selector =
  | { readonly kind: "machine"; readonly nameOrId: string }
  | { readonly kind: "metadata"; readonly key: string; readonly values: readonly string[] };

/** Longer than any line of a unit file may be; the limit is for the command line and the manifest. */
const SELECTOR_MAX = 2048;

/** A host name's characters and length; a full machine id is one too, and is told apart when matched. */
const MACHINE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const KEY = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;
/** No blanks, quotes, `=`, commas or parentheses: `role=db role=web` is a mistake and not a value. */
const VALUE = /^[A-Za-z0-9._/:@+-]+$/;

/**
 * Reads `role=db`, `zone in (a, b)`, a machine's name or its full id. The problem is a sentence's part, fit for a
 * diagnostic's `saw`. Values come sorted and unique.
 */
export function parseSelector(text: string): Selector | { readonly problem: string } {
  if (text.length > SELECTOR_MAX) return { problem: `a selector of ${text.length} characters` };
  const trimmed = text.trim();
  const shown = JSON.stringify(trimmed);
  if (trimmed === "") return { problem: "an empty selector" };
  const list = /^([^\s=()]+)\s+in\s*\(([^()]*)\)$/.exec(trimmed);
  if (list !== null) {
    return metadataSelector(
      list[1]!,
      list[2]!.split(",").map((value) => value.trim()),
      shown,
    );
  }
  const halves = trimmed.split("=");
  if (halves.length === 2) return metadataSelector(halves[0]!.trim(), [halves[1]!.trim()], shown);
  if (halves.length > 2) return { problem: `${halves.length - 1} "=" in the selector ${shown}` };
  if (MACHINE.test(trimmed)) return { kind: "machine", nameOrId: trimmed };
  return { problem: `${shown}, which is neither key=value, nor key in (a, b), nor a machine` };
}

function metadataSelector(
  key: string,
  values: readonly string[],
  shown: string,
): Selector | { readonly problem: string } {
  if (key === "") return { problem: `no key in the selector ${shown}` };
  if (!KEY.test(key)) return { problem: `the key ${JSON.stringify(key)} in the selector ${shown}` };
  const bad = values.find((value) => !VALUE.test(value));
  if (bad === "") return { problem: `an empty value in the selector ${shown}` };
  if (bad !== undefined) return { problem: `the value ${JSON.stringify(bad)} in the selector ${shown}` };
  return { kind: "metadata", key, values: [...new Set(values)].sort() };
}

/** The selector's one canonical spelling; `parseSelector` reads it back to the same. */
export function printSelector(selector: Selector): string {
  if (selector.kind === "machine") return selector.nameOrId;
  const { key, values } = selector;
  return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(", ")})`;
}

/** A machine without the key matches nothing about it. */
export function matchesSelector(
  selector: Selector,
  machine: { readonly id: MachineId; readonly name: string; readonly metadata: Readonly<Record<string, string>> },
): boolean {
  if (selector.kind === "machine") return selector.nameOrId === machine.name || selector.nameOrId === machine.id;
  if (!Object.hasOwn(machine.metadata, selector.key)) return false;
  return selector.values.includes(machine.metadata[selector.key]!);
}
