import type { DraftUnit } from "../spec/draft-unit.ts";
import { expandSpecifiers } from "../unit/specifiers.ts";
import { splitWords } from "../unit/split-words.ts";
import type { LintFinding } from "./lint-rules.ts";

/** Dependencies of which a unit on itself is certainly a slip; the others are mere order. */
const ON_ITSELF = ["Conflicts", "BindsTo", "Requires", "Requisite", "Wants", "PartOf", "After", "Before"];
const NEEDS = ["Requires", "BindsTo", "Requisite", "Wants"];

/** A unit that names itself, or wants to run beside what it must not run beside. systemd drops the first, and fails at the second. */
export function dependencyContradictions({ name, service, effective }: DraftUnit): readonly LintFinding[] {
  const named = (section: string, key: string) =>
    effective
      .allValues(section, key)
      .flatMap(({ value, at }) =>
        splitWords(value).words.map((word) => ({ unit: expandSpecifiers(word, service).text, key, at })),
      );
  const itself = ON_ITSELF.flatMap((key) => named("Unit", key)).filter(({ unit }) => unit === service || unit === name);
  // A pattern that also matches its own unit is the usual way to keep instances apart; the bare name is not.
  const inFleet = ["Conflicts", "Replaces"].flatMap((key) => named("X-Fleet", key)).filter(({ unit }) => unit === name);
  const conflicts = new Map(named("Unit", "Conflicts").map((one) => [one.unit, one]));
  const both =
    conflicts.size === 0 ? [] : NEEDS.flatMap((key) => named("Unit", key)).filter(({ unit }) => conflicts.has(unit));
  return [
    ...[...itself, ...inFleet].map(
      ({ unit, key, at }): LintFinding => ({
        rule: "dependency-contradiction",
        at,
        saw: `${key}=${unit} in ${unit} itself`,
        next: "it is without effect: remove it, or name the other unit",
      }),
    ),
    ...both.map(
      ({ unit, key, at }): LintFinding => ({
        rule: "dependency-contradiction",
        at,
        saw: `${key}=${unit} beside Conflicts=${unit}`,
        next: "starting one stops the other: keep one of the two",
      }),
    ),
  ];
}
