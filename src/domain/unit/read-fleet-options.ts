import type { Resources } from "../cluster/resources.ts";
import { METADATA_FORM, metadataIn, parseSelector, type Selector } from "../cluster/selector.ts";
import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import { closestName } from "./closest-name.ts";
import type { EffectiveUnit, EffectiveValue } from "./effective-unit.ts";
import type { FleetOptions } from "./fleet-options.ts";
import { compileGlob } from "./glob.ts";
import { ON_DISCONNECT_FORM, type OnDisconnect, parseOnDisconnect } from "./on-disconnect.ts";
import { optionContradictions } from "./option-contradictions.ts";
import { parseBoolean } from "./parse-boolean.ts";
import { parseSpread, SPREAD_FORM } from "./parse-spread.ts";
import { readAnnouncements } from "./read-announcements.ts";
import { readHealthChecks } from "./read-health-checks.ts";
import { parseReplace, REPLACE_FORM, type ReplaceOption } from "./replace-option.ts";
import { CPU_FORM, limitsOf, MEMORY_FORM, parseCpu, parseMemory } from "./resource-requests.ts";
import { expandSpecifiers } from "./specifiers.ts";
import { splitFleetValue } from "./split-fleet-value.ts";
import { checkUnitName, unitNameParts } from "./unit-name.ts";

const SECTION = "X-Fleet";

/** Old spellings that still count, by the option they became. */
const LEGACY: Readonly<Record<string, string>> = {
  "X-ConditionMachineID": "MachineID",
  "X-ConditionMachineOf": "MachineOf",
  "X-ConditionMachineMetadata": "MachineMetadata",
  "X-Conflicts": "Conflicts",
};

/** A boot id is another one after each boot: old fleet took these so that such a unit ran nowhere; we say so. */
const BOOT_ID = ["MachineBootID", "X-ConditionMachineBootID"];

const OPTIONS = [
  ...["Announce", "CPU", "Conflicts", "Global", "Group", "HealthCheck", "MachineID", "MachineMetadata", "MachineOf"],
  ...["MaxPerMachine", "Memory", "Move", "OnDisconnect", "Replace", "Replaces", "Spread"],
];

const KNOWN: ReadonlySet<string> = new Set([...OPTIONS, ...BOOT_ID, ...Object.keys(LEGACY)]);

/** What most units say. */
const NO_OPTIONS: FleetOptions = {
  global: false,
  machineId: null,
  machineOf: [],
  machineMetadata: [],
  conflicts: [],
  replaces: [],
  group: "auto",
  move: null,
};

export interface ReadFleetOptions {
  readonly options: FleetOptions;
  /** What the unit itself says; null where it says nothing. */
  readonly onDisconnect: OnDisconnect | null;
  readonly replace: ReplaceOption | null;
  /** What the unit asks of its machine, by its options or else its own limits; null where it asks for nothing. */
  readonly requests: Resources | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the `[X-Fleet]` section of a unit with its drop-ins. `name` answers the specifiers, so instances are read one by one
 * and templates not at all. An empty assignment resets its option. What is malformed is an error and never a dropped
 * constraint: old fleet dropped them, and the unit ran anywhere. Lists come sorted and unique.
 */
export function readFleetOptions(name: UnitName, unit: EffectiveUnit): ReadFleetOptions {
  const reader = new FleetOptionReader(name, unit);
  return {
    options: reader.read(),
    onDisconnect: reader.onDisconnect(),
    replace: reader.replace(),
    requests: reader.requests(),
    diagnostics: reader.diagnostics,
  };
}

class FleetOptionReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #name: UnitName;
  readonly #unit: EffectiveUnit;
  readonly #values = new Map<string, readonly EffectiveValue[]>();

  constructor(name: UnitName, unit: EffectiveUnit) {
    this.#name = name;
    this.#unit = unit;
  }

  read(): FleetOptions {
    this.#checkSections();
    if (this.#unit.assignments(SECTION).length === 0) return NO_OPTIONS;
    this.#checkKeys();
    const written = new Set(this.#unit.assignments(SECTION).map(({ key }) => optionOf(key)));
    // A check is read by itself: a command is split before its specifiers are replaced.
    const read = OPTIONS.filter((option) => written.has(option) && option !== "HealthCheck");
    for (const option of read) this.#values.set(option, this.#collect(option));
    const options: FleetOptions = {
      global: this.#global(),
      machineId: this.#machineId(),
      machineOf: this.#machineOf(),
      machineMetadata: this.#machineMetadata(),
      conflicts: this.#globs("Conflicts"),
      replaces: this.#globs("Replaces"),
      group: this.#choice("Group", ["auto", "none"]) ?? "auto",
      move: this.#choice("Move", ["auto", "never"]),
      ...this.#spread(),
      ...this.#maxPerMachine(),
      ...this.#healthChecks(),
      ...this.#announce(),
    };
    this.diagnostics.push(...optionContradictions(this.#name, options, (option) => this.#of(option).at(-1) ?? null));
    return options;
  }

  onDisconnect(): OnDisconnect | null {
    const last = this.#of("OnDisconnect").at(-1);
    if (last === undefined) return null;
    const option = parseOnDisconnect(last.value);
    if (option === null) {
      this.#error("x-fleet-value", last.at, `OnDisconnect=${last.value}`, { expected: ON_DISCONNECT_FORM });
    }
    return option;
  }

  /** One letter less than `Replaces=`: whoever gives it a unit's name meant that. */
  replace(): ReplaceOption | null {
    const last = this.#of("Replace").at(-1);
    if (last === undefined) return null;
    const option = parseReplace(last.value);
    if (option === null) {
      const isUnit = "name" in checkUnitName(last.value);
      const next = isUnit ? { next: "did you mean Replaces=?" } : {};
      this.#error("x-fleet-value", last.at, `Replace=${last.value}`, { expected: REPLACE_FORM, ...next });
    }
    return option;
  }

  requests(): Resources | null {
    const limits = limitsOf(this.#name, this.#unit);
    const cpuMilli = this.#amount("CPU", parseCpu, CPU_FORM) ?? limits.cpuMilli;
    const memoryBytes = this.#amount("Memory", parseMemory, MEMORY_FORM) ?? limits.memoryBytes;
    return cpuMilli === 0 && memoryBytes === 0 ? null : { cpuMilli, memoryBytes };
  }

  #amount(option: string, parse: (text: string) => number | null, expected: string): number | null {
    const last = this.#of(option).at(-1);
    if (last === undefined) return null;
    const amount = parse(last.value);
    if (amount === null) this.#error("x-fleet-value", last.at, `${option}=${last.value}`, { expected });
    return amount;
  }

  #spread(): Pick<FleetOptions, "spread"> {
    const last = this.#of("Spread").at(-1);
    if (last === undefined) return {};
    const spread = parseSpread(last.value);
    if (spread !== null) return { spread };
    this.#error("x-fleet-value", last.at, `Spread=${last.value}`, { expected: SPREAD_FORM });
    return {};
  }

  #maxPerMachine(): Pick<FleetOptions, "maxPerMachine"> {
    const last = this.#of("MaxPerMachine").at(-1);
    if (last === undefined) return {};
    if (/^[1-9]\d{0,3}$/.test(last.value)) return { maxPerMachine: Number(last.value) };
    const expected = "how many of its instances one machine may have, 1 to 9999";
    this.#error("x-fleet-value", last.at, `MaxPerMachine=${last.value}`, { expected });
    return {};
  }

  #healthChecks(): Pick<FleetOptions, "healthChecks"> {
    const written = this.#inForce("HealthCheck");
    const expand = (text: string, { at }: EffectiveValue) => this.#expand("HealthCheck", text, at)[0]?.value ?? null;
    const { checks, diagnostics } = readHealthChecks(this.#name, this.#unit, written, expand);
    this.diagnostics.push(...diagnostics);
    return checks.length === 0 ? {} : { healthChecks: checks };
  }

  #announce(): Pick<FleetOptions, "announce"> {
    const { announce, diagnostics } = readAnnouncements(this.#of("Announce"));
    this.diagnostics.push(...diagnostics);
    return announce.length === 0 ? {} : { announce };
  }

  #of(option: string): readonly EffectiveValue[] {
    return this.#values.get(option) ?? [];
  }

  #error(code: string, at: SourceLocation, saw: string, more: { expected?: string; next?: string } = {}): void {
    this.diagnostics.push({ code, severity: "error", at, saw, ...more });
  }

  #checkSections(): void {
    for (const section of this.#unit.sections) {
      if (section === SECTION || section.toLowerCase().replace(/[^a-z]/g, "") !== "xfleet") continue;
      const at = this.#unit.sectionAt(section)!;
      this.#error("x-fleet-section", at, `the section [${section}]`, { next: `did you mean [${SECTION}]?` });
    }
  }

  #checkKeys(): void {
    for (const { key, value, at } of this.#unit.assignments(SECTION)) {
      if (BOOT_ID.includes(key) && value !== "") {
        this.#error("x-fleet-boot-id", at, `${key}=, an id that changes with every boot`, { next: "write MachineID=" });
      } else if (!KNOWN.has(key)) {
        const meant = closestName(key, KNOWN);
        this.#error("x-fleet-unknown-option", at, `the unknown option ${JSON.stringify(key)} in [${SECTION}]`, {
          expected: `one of ${OPTIONS.join(", ")}`,
          ...(meant === null ? {} : { next: `did you mean ${meant}=?` }),
        });
      }
    }
  }

  /** Values of an option in file order, old spellings included, from the last reset on; quotes split, specifiers expanded. */
  #collect(option: string): EffectiveValue[] {
    return this.#inForce(option).flatMap(({ value, at }) => {
      const parts = splitFleetValue(value);
      if (parts === null) {
        this.#error("x-fleet-quotes", at, `an unclosed quote in ${option}=`);
        return [];
      }
      return parts.flatMap((part) => this.#expand(option, part, at));
    });
  }

  #inForce(option: string): readonly EffectiveValue[] {
    const written = this.#unit.assignments(SECTION).filter(({ key }) => optionOf(key) === option);
    return written.slice(written.findLastIndex(({ value }) => value === "") + 1);
  }

  #expand(option: string, text: string, at: SourceLocation): EffectiveValue[] {
    const { left, text: value } = expandSpecifiers(text, this.#name);
    if (left.length > 0) {
      this.#error("x-fleet-specifier", at, `${left.join(" and ")} in ${option}=, which only a machine could answer`, {
        expected: "%n, %N, %p, %i, %j or %%",
      });
      return [];
    }
    if (/%[iI]/.test(text.replaceAll("%%", "")) && !unitNameParts(this.#name).isInstance) {
      this.#error("x-fleet-specifier", at, `%i in ${option}= of ${this.#name}, which is no instance of a template`);
      return [];
    }
    return [{ value, at }];
  }

  #global(): boolean {
    const last = this.#of("Global").at(-1);
    if (last === undefined) return false;
    const value = parseBoolean(last.value);
    if (value === null) this.#error("x-fleet-value", last.at, `Global=${last.value}`, { expected: "true or false" });
    return value ?? false;
  }

  /** As systemd's single values, the last one counts, so that a drop-in can move a unit; two in one file are a mistake. */
  #machineId(): string | null {
    const values = this.#of("MachineID");
    const last = values.at(-1);
    if (last === undefined) return null;
    const other = values.find(({ value, at }) => at.path === last.at.path && value !== last.value);
    if (other !== undefined) {
      this.#error("x-fleet-contradiction", last.at, `MachineID=${last.value} beside MachineID=${other.value}`, {
        expected: "one machine",
      });
    }
    const selector = parseSelector(last.value);
    if ("problem" in selector || selector.kind !== "machine") {
      this.#error("x-fleet-value", last.at, `MachineID=${last.value}`, {
        expected: "a machine's name or its full id, 32 hexadecimal digits",
      });
      return null;
    }
    return selector.nameOrId;
  }

  #machineOf(): UnitName[] {
    const names = this.#of("MachineOf").flatMap(({ value, at }) => {
      const checked = checkUnitName(value);
      if ("problem" in checked) {
        this.#error("x-fleet-value", at, checked.problem, { expected: "MachineOf= with one unit's name a line" });
        return [];
      }
      if (unitNameParts(checked.name).isTemplate) {
        this.#error("x-fleet-value", at, `MachineOf=${value}, a template, which runs nowhere`, {
          expected: "the name of an instance",
        });
        return [];
      }
      if (checked.name === this.#name) {
        this.#error("x-fleet-contradiction", at, `MachineOf=${value} in ${value} itself`, { expected: "another unit" });
        return [];
      }
      return [checked.name];
    });
    return sortedUnique(names);
  }

  /** Values of one key are alternatives, wherever they stand, and those it must not have add up; different keys must all hold. */
  #machineMetadata(): Selector[] {
    const found = new Map<string, Extract<Selector, { key: string }>>();
    for (const { value, at } of this.#of("MachineMetadata")) {
      const selector = parseSelector(value);
      if ("problem" in selector || selector.kind === "machine") {
        const saw = "problem" in selector ? selector.problem : `MachineMetadata=${value} without "="`;
        const next = /\s\S+=/.test(value) ? `quote each: MachineMetadata="a=b" "c=d"` : undefined;
        this.#error("x-fleet-value", at, saw, { expected: METADATA_FORM, ...(next && { next }) });
        continue;
      }
      const { key, values, not = false } = selector;
      const place = `${key}${not ? "!" : ""}`;
      found.set(place, metadataIn(key, [...(found.get(place)?.values ?? []), ...values], not));
    }
    return [...found].sort(([a], [b]) => compareText(a, b)).map(([, selector]) => selector);
  }

  #globs(option: "Conflicts" | "Replaces"): string[] {
    const patterns = this.#of(option).flatMap(({ value, at }) =>
      (option === "Conflicts" ? value.split(/\s+/).filter((pattern) => pattern !== "") : [value]).filter((pattern) => {
        if (pattern !== "" && !/\s/.test(pattern) && compileGlob(pattern) !== null) return true;
        this.#error("x-fleet-value", at, `the malformed pattern ${JSON.stringify(pattern)} in ${option}=`, {
          expected: "a unit's name, in which *, ? and [a-z] stand for characters",
        });
        return false;
      }),
    );
    return sortedUnique(patterns);
  }

  #choice<Choice extends string>(option: string, choices: readonly Choice[]): Choice | null {
    const last = this.#of(option).at(-1);
    if (last === undefined) return null;
    const choice = choices.find((one) => one === last.value);
    if (choice === undefined) {
      this.#error("x-fleet-value", last.at, `${option}=${last.value}`, { expected: choices.join(" or ") });
    }
    return choice ?? null;
  }
}

/** The option that a key means, in its spelling of today. */
function optionOf(key: string): string {
  return Object.hasOwn(LEGACY, key) ? LEGACY[key]! : key;
}

function sortedUnique<Text extends string>(texts: readonly Text[]): Text[] {
  return [...new Set(texts)].sort(compareText);
}
