import { closestName } from "../unit/closest-name.ts";
import { isWithoutEffect, newSpellingOf } from "../unit/old-spellings.ts";
import { quadletKeys } from "../unit/quadlet-keys.ts";
import { isKnownDirective, knownDirectives, knownSections } from "../unit/systemd-directives.ts";
import type { UnitAssignment, UnitFile } from "../unit/unit-file.ts";
import { locationOf } from "../unit/unit-file.ts";
import { QUADLET_TYPES, UNIT_TYPES, type UnitType } from "../unit/unit-name.ts";
import type { LintFinding } from "./lint-rules.ts";

/** Sections of podman's own. */
const QUADLET_SECTIONS: ReadonlySet<string> = new Set(["Quadlet", ...QUADLET_TYPES.map(sectionNamed)]);
const QUADLETS: ReadonlySet<string> = new Set(QUADLET_TYPES);

/**
 * Directives of one file for which the nearest known one is looked up. It costs a tenth of a millisecond, and a file of 64 KiB
 * can have ten thousand; whoever has more than a few has another problem than spelling.
 */
const SUGGESTED_MAX = 20;

/** Sections of every unit. `X-` ones are for others to read; misspelt `[X-Fleet]` is an error elsewhere. */
const COMMON = ["Unit", "Install"];

/**
 * Directives and sections that systemd ignores with a line in the journal of a machine nobody watches: unknown, in the section of
 * another type of unit, or of old. `type` is null where the unit a drop-in is for is not known. A section is told once, and
 * what stands in it not at all.
 */
export function lintDirectives(file: UnitFile, type: UnitType | null): readonly LintFinding[] {
  const findings: LintFinding[] = [];
  let ignored = false;
  let unknown = 0;
  for (const entry of file.entries) {
    if (entry.kind === "section") {
      const problem = sectionProblem(entry.name, type);
      ignored = problem !== null;
      if (problem !== null) {
        findings.push({ rule: "section-unknown", at: { path: file.path, line: entry.line, column: 1 }, ...problem });
      }
    } else if (entry.kind === "assignment" && !ignored) {
      const suggest = unknown < SUGGESTED_MAX;
      const finding = isSystemds(entry.section)
        ? directiveProblem(file, entry, type, suggest)
        : quadletProblem(file, entry, suggest);
      if (finding !== null) findings.push(finding);
      if (finding?.rule === "directive-unknown") unknown++;
    }
  }
  return findings;
}

function sectionNamed(type: string): string {
  return `${type[0]!.toUpperCase()}${type.slice(1)}`;
}

const SYSTEMDS: ReadonlySet<string> = new Set(knownSections);

function isSystemds(section: string): boolean {
  return SYSTEMDS.has(section);
}

/** What sections a unit of that type has; a quadlet becomes a service, and what stands in [Service] goes there as it is. */
function sectionsOf(type: UnitType): readonly string[] {
  if (QUADLETS.has(type)) return [...COMMON, "Service", "Quadlet", sectionNamed(type)];
  const own = sectionNamed(type);
  return isSystemds(own) ? [...COMMON, own] : COMMON;
}

function sectionProblem(name: string, type: UnitType | null): { saw: string; next: string } | null {
  if (name.startsWith("X-") || name.toLowerCase().replace(/[^a-z]/g, "") === "xfleet") return null;
  const fitting = type === null ? [...knownSections, ...QUADLET_SECTIONS] : sectionsOf(type);
  if (fitting.includes(name)) return null;
  const ignored = type !== null && QUADLETS.has(type) ? "podman and systemd ignore it" : "systemd ignores it";
  const belongs = [...UNIT_TYPES, ...QUADLET_TYPES].find((other) => sectionNamed(other) === name);
  if (type !== null && belongs !== undefined) {
    return {
      saw: `the section [${name}] in a .${type}`,
      next: `${ignored}: write it into a .${belongs}, or remove it`,
    };
  }
  const meant = closestName(name, fitting);
  const next = meant === null ? `${ignored}; for notes of your own write [X-${name}]` : `did you mean [${meant}]?`;
  return { saw: `the unknown section [${name}]`, next };
}

/** Of podman's sections the generator refuses the whole quadlet for one key it does not know. */
function quadletProblem(file: UnitFile, entry: UnitAssignment, suggest: boolean): LintFinding | null {
  const { section, key } = entry;
  const known = quadletKeys(section);
  if (known === null || known.has(key)) return null;
  const meant = suggest ? closestName(key, known) : null;
  const home = meant === null ? systemdSectionOf(key) : null;
  const next =
    meant !== null
      ? `did you mean ${meant}=?`
      : home !== null
        ? `it is one of [${home}]`
        : "remove it, or write PodmanArgs=";
  const saw = `the unknown key ${key}= in [${section}], for which podman's generator refuses the file`;
  return { rule: "directive-unknown", at: locationOf(file, entry), saw, next };
}

/** Where systemd reads it, in a service that a generator made. */
function systemdSectionOf(key: string): string | null {
  return ["Service", "Unit", "Install"].find((section) => isKnownDirective(section, key)) ?? null;
}

function directiveProblem(
  file: UnitFile,
  entry: UnitAssignment,
  type: UnitType | null,
  suggest: boolean,
): LintFinding | null {
  const { section, key } = entry;
  if (!isKnownDirective(section, key) && !isWithoutEffect(section, key)) {
    if (key.startsWith("X-")) return null;
    return { rule: "directive-unknown", at: locationOf(file, entry), ...unknownDirective(section, key, type, suggest) };
  }
  if (isWithoutEffect(section, key)) {
    const next = "remove it: systemd reads it and does nothing";
    return { rule: "unit-old-spelling", at: locationOf(file, entry), saw: `${key}=, which is gone from systemd`, next };
  }
  const renamed = newSpellingOf(section, key);
  if (renamed === null) return null;
  const saw = `${key}=, an old spelling of ${renamed}=`;
  return { rule: "unit-old-spelling", at: locationOf(file, entry), saw, next: `did you mean ${renamed}=?` };
}

function unknownDirective(
  section: string,
  key: string,
  type: UnitType | null,
  suggest: boolean,
): { saw: string; next: string } {
  const others = (type === null ? knownSections : sectionsOf(type)).filter(
    (other) => other !== section && isKnownDirective(other, key),
  );
  const [first] = others;
  if (first !== undefined) {
    return { saw: `${key}= in [${section}], where systemd ignores it`, next: `move it to [${first}]` };
  }
  const meant = suggest ? closestName(key, knownDirectives(section)) : null;
  const saw = `the unknown directive ${key}= in [${section}]`;
  return { saw, next: meant === null ? "systemd ignores it: remove it" : `did you mean ${meant}=?` };
}
