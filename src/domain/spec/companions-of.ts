import type { Diagnostic } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import { unitNameParts } from "../unit/unit-name.ts";
import type { Companion } from "./cluster-spec.ts";
import type { DraftUnit, NameLookup } from "./draft-unit.ts";

/** Which templates travel with which units, and what is wrong with the mentions. */
export interface Companions {
  /** Sorted by name. */
  readonly of: (unit: DraftUnit) => readonly Companion[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * A template nobody instantiates but somebody mentions (`Accept=yes`, `OnFailure=notify@%n.service`) travels with whoever
 * mentions it, with what it mentions in turn. Instances of a template the manifest instantiates are units of their own; `instantiated`
 * names those templates where `units` are a part of the commit.
 */
export function companionsOf(
  units: readonly DraftUnit[],
  templates: readonly DraftUnit[],
  lookup: NameLookup,
  instantiated: ReadonlySet<UnitName> = new Set(units.flatMap(({ template }) => template ?? [])),
): Companions {
  const byName = new Map(templates.map((template) => [template.name, template]));
  const diagnostics: Diagnostic[] = [];
  const used = new Set<UnitName>();
  const mentionedBy = (unit: DraftUnit): readonly DraftUnit[] =>
    unit.ties.mentions.flatMap((mention) => {
      const { template, isInstance } = unitNameParts(mention.unit);
      if (template === null || lookup(mention.unit) !== null) return [];
      if (instantiated.has(template)) {
        const what = isInstance ? "is not among its instances" : "has instances of its own";
        const saw = `${mention.by}${mention.unit}, but ${isInstance ? `${mention.unit} ` : ""}${what}`;
        diagnostics.push({ code: "instance-unknown", severity: "warning", at: mention.at, saw });
        return [];
      }
      const found = byName.get(template);
      return found === undefined ? [] : [found];
    });

  const byUnit = new Map<UnitName, readonly Companion[]>();
  for (const unit of units) {
    const open = [...mentionedBy(unit)];
    if (open.length === 0) continue;
    const travelling = new Map<UnitName, DraftUnit>();
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (travelling.has(next.name)) continue;
      travelling.set(next.name, next);
      used.add(next.name);
      open.push(...mentionedBy(next));
    }
    const sorted = [...travelling.values()].sort((a, b) => compareText(a.name, b.name));
    byUnit.set(
      unit.name,
      sorted.map(({ name, fragment, dropins }) => ({ name, fragment, dropins })),
    );
  }
  for (const template of templates) {
    if (used.has(template.name)) continue;
    const saw = `the template ${template.name}, which has no instances and is mentioned by no unit`;
    const next = `give it instances: in the manifest`;
    diagnostics.push({ code: "template-unused", severity: "info", at: { path: template.fragment.path }, saw, next });
  }
  return { of: (unit) => byUnit.get(unit.name) ?? [], diagnostics };
}
