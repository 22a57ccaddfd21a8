import { InvariantError } from "../invariant.ts";
import type { UnitName } from "../names.ts";
import { closestName } from "./closest-name.ts";

/** What systemd 252 loads. Old fleet had two lists, of 13 and of 7 types, and lost units between them: this is the only one. */
export const UNIT_TYPES = [
  "automount",
  "device",
  "mount",
  "path",
  "scope",
  "service",
  "slice",
  "socket",
  "swap",
  "target",
  "timer",
] as const;

/** What podman's generator turns into services. */
export const QUADLET_TYPES = ["build", "container", "image", "kube", "network", "pod", "volume"] as const;

export type SystemdUnitType = (typeof UNIT_TYPES)[number];
export type QuadletType = (typeof QUADLET_TYPES)[number];
export type UnitType = SystemdUnitType | QuadletType;

/** systemd's UNIT_NAME_MAX less its terminating NUL; also the longest file name Linux file systems take. */
export const UNIT_NAME_MAX = 255;

/** Types old fleet accepted and systemd dropped since: the name is well formed, but nothing would ever run. */
const DROPPED_TYPES: Readonly<Record<string, string>> = {
  busname: "systemd dropped busname units in version 236",
  snapshot: "systemd dropped snapshot units in version 228",
};

const TYPES: ReadonlySet<string> = new Set([...UNIT_TYPES, ...QUADLET_TYPES]);
const QUADLETS: ReadonlySet<string> = new Set(QUADLET_TYPES);

/** How the generator names the service of a quadlet: container and kube keep the name, the others say what they are. */
const SERVICE_SUFFIX: Readonly<Record<QuadletType, string>> = {
  build: "-build",
  container: "",
  image: "-image",
  kube: "",
  network: "-network",
  pod: "-pod",
  volume: "-volume",
};

/** Reads a unit's name, plain, template or instance; null where systemd (or quadlet) would not take it. */
export function parseUnitName(text: string): UnitName | null {
  const checked = checkUnitName(text);
  return "name" in checked ? checked.name : null;
}

/** The same, saying what is wrong: a sentence's part without full stop, fit for a diagnostic's `saw`. */
export function checkUnitName(text: string): { readonly name: UnitName } | { readonly problem: string } {
  if (text === "") return { problem: "an empty unit name" };
  // Before anything quotes it: a name of a megabyte must not become a message of a megabyte.
  if (text.length > UNIT_NAME_MAX) {
    return { problem: `a unit name of ${text.length} characters, above the limit of ${UNIT_NAME_MAX}` };
  }
  const shown = () => JSON.stringify(text);
  const bad = /[^A-Za-z0-9:_.\\@-]/u.exec(text)?.[0];
  if (bad !== undefined) return { problem: `the character ${JSON.stringify(bad)} in the unit name ${shown()}` };
  const dot = text.lastIndexOf(".");
  if (dot === -1) return { problem: `the unit name ${shown()} without a type such as .service` };
  const type = text.slice(dot + 1);
  if (type === "") return { problem: `the unit name ${shown()} ending in a dot` };
  if (dot === 0) return { problem: `the unit name ${shown()} with nothing before its type` };
  if (!TYPES.has(type)) return { problem: problemOfType(type, shown()) };
  if (text.startsWith("@")) return { problem: `the unit name ${shown()} beginning with @` };
  const name = text as UnitName;
  const service = serviceText(name);
  if (service.length > UNIT_NAME_MAX) {
    return {
      problem: `the unit name ${shown()}, whose service name has ${service.length} of ${UNIT_NAME_MAX} characters`,
    };
  }
  return { name };
}

function problemOfType(type: string, shown: string): string {
  const dropped = Object.hasOwn(DROPPED_TYPES, type) ? DROPPED_TYPES[type] : undefined;
  if (dropped !== undefined) return `the unit name ${shown}: ${dropped}`;
  const meant = closestName(type, TYPES);
  return `the unknown type .${type} in the unit name ${shown}${meant === null ? "" : `; did you mean .${meant}`}`;
}

export interface UnitNameParts {
  /** Up to the first `@`, or up to the type. */
  readonly prefix: string;
  /** From the first `@` up to the type; may hold further `@`. Null in plain names and templates. */
  readonly instance: string | null;
  readonly type: UnitType;
  readonly isTemplate: boolean;
  readonly isInstance: boolean;
  /** The template of an instance, a template's own name, null for plain names. */
  readonly template: UnitName | null;
}

/** A name taken apart, as systemd does it: the last dot ends the name, the first `@` begins the instance. */
export function unitNameParts(name: UnitName): UnitNameParts {
  const dot = name.lastIndexOf(".");
  const at = name.indexOf("@");
  const type = name.slice(dot + 1) as UnitType;
  if (at === -1) {
    return { prefix: name.slice(0, dot), instance: null, type, isTemplate: false, isInstance: false, template: null };
  }
  const prefix = name.slice(0, at);
  const instance = at + 1 === dot ? null : name.slice(at + 1, dot);
  const template = `${prefix}@.${type}` as UnitName;
  return { prefix, instance, type, isTemplate: instance === null, isInstance: instance !== null, template };
}

/** Whether podman's generator makes this unit, instead of systemd loading the file itself. */
export function isQuadlet(name: UnitName): boolean {
  return QUADLETS.has(name.slice(name.lastIndexOf(".") + 1));
}

/** `web@.service` and `blue` make `web@blue.service`; null where the result is no unit name or the template is none. */
export function instantiate(template: UnitName, instance: string): UnitName | null {
  const { prefix, type, isTemplate } = unitNameParts(template);
  if (!isTemplate || instance === "") return null;
  return parseUnitName(`${prefix}@${instance}.${type}`);
}

/**
 * The name systemd knows a unit by: quadlets are renamed by their generator, everything else keeps its own. The suffix follows
 * the instance, `db@1.volume` → `db@1-volume.service`: so podman 5.4.2 does it, and a template volume is none for systemd.
 */
export function serviceNameOf(name: UnitName): UnitName {
  return serviceText(name) as UnitName;
}

function serviceText(name: UnitName): string {
  if (!isQuadlet(name)) return name;
  const dot = name.lastIndexOf(".");
  const suffix = SERVICE_SUFFIX[name.slice(dot + 1) as QuadletType];
  if (suffix === undefined) throw new InvariantError(`no service name for the quadlet ${name}`);
  return `${name.slice(0, dot)}${suffix}.service`;
}
