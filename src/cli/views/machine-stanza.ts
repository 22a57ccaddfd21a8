import type { NodeKey } from "../../domain/identity/node-key.ts";
import { compareText, type MachineId } from "../../domain/names.ts";

export interface StanzaMachine {
  readonly name: string;
  readonly machine: MachineId;
  /** Null: it reaches the registry itself, and needs none. */
  readonly key: NodeKey | null;
  /** Null: nobody dials an engine here. */
  readonly engineKey: NodeKey | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What git has to say of a machine, as it stands under `machines:` in a manifest: one line, for one line is what a diff shows. */
export function machineStanza({ name, machine, key, engineKey, metadata }: StanzaMachine): string {
  const pairs = Object.entries(metadata).sort(([a], [b]) => compareText(a, b));
  const fields = [
    `id: ${scalar(machine)}`,
    ...(key === null ? [] : [`key: ${scalar(key)}`]),
    ...(engineKey === null ? [] : [`engineKey: ${scalar(engineKey)}`]),
    ...(pairs.length === 0
      ? []
      : [`metadata: { ${pairs.map(([word, value]) => `${scalar(word)}: ${scalar(value)}`).join(", ")} }`]),
  ];
  return `${scalar(name)}: { ${fields.join(", ")} }`;
}

/** Plain where every YAML reader takes it for this text, in double quotes where any might not: 0123, 1e3, yes, a: b. */
function scalar(text: string): string {
  const isWord = /^[A-Za-z][A-Za-z0-9._-]*$/.test(text) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text);
  return isWord ? text : JSON.stringify(text);
}
