import type { DraftUnit } from "../spec/draft-unit.ts";
import { expandSpecifiers } from "../unit/specifiers.ts";
import { splitWords } from "../unit/split-words.ts";
import type { LintFinding } from "./lint-rules.ts";

const NEEDS: ReadonlySet<string> = new Set(["BindsTo", "Requires", "Requisite", "Wants"]);
/** Dependencies of which a unit on itself is certainly a slip. */
const ON_ITSELF: ReadonlySet<string> = new Set([...NEEDS, "After", "Before", "Conflicts", "PartOf"]);
const FLEETS: ReadonlySet<string> = new Set(["Conflicts", "Replaces"]);

/** A unit that names itself, or wants to run beside what it must not run beside. systemd drops the first, and fails at the second. */
export function dependencyContradictions({ name, service, effective }: DraftUnit): readonly LintFinding[] {
  const named = (section: string, keys: ReadonlySet<string>) =>
    effective
      .assignments(section)
      .filter(({ key }) => keys.has(key))
      .flatMap(({ key, value, at }) =>
        splitWords(value).words.map((word) => ({ unit: expandSpecifiers(word, service).text, key, at })),
      );
  const dependencies = named("Unit", ON_ITSELF);
  const itself = dependencies.filter(({ unit }) => unit === service || unit === name);
  // A pattern that also matches its own unit is the usual way to keep instances apart; the bare name is not.
  const inFleet = named("X-Fleet", FLEETS).filter(({ unit }) => unit === name);
  const conflicts = new Set(dependencies.flatMap(({ key, unit }) => (key === "Conflicts" ? [unit] : [])));
  const both = dependencies.filter(({ key, unit }) => NEEDS.has(key) && conflicts.has(unit));
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
