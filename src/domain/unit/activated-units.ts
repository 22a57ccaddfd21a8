import type { SourceLocation } from "../diagnostic.ts";
import type { UnitName } from "../names.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { parseBoolean } from "./parse-boolean.ts";
import { parseUnitName, type UnitType, unitNameParts } from "./unit-name.ts";
import type { ReferenceReader, UnitReference } from "./unit-reference.ts";

/**
 * What a timer, socket, path or automount starts: the unit it names, or the one of its own name. A socket with `Accept=yes`
 * starts instances of a template, and that template is what comes back.
 */
export function activatedUnits(name: UnitName, unit: EffectiveUnit, reader: ReferenceReader): UnitReference[] {
  switch (unitNameParts(name).type) {
    case "timer":
      return named(name, unit, reader, "Timer", "Unit");
    case "path":
      return named(name, unit, reader, "Path", "Unit");
    case "socket":
      return socketServices(name, unit, reader);
    case "automount":
      return [sameName(name, "mount", "Where=", { path: unit.path })].filter((reference) => reference !== null);
    default:
      return [];
  }
}

/** systemd takes the first `Unit=` and warns of others. */
function named(
  name: UnitName,
  unit: EffectiveUnit,
  reader: ReferenceReader,
  section: string,
  key: string,
): UnitReference[] {
  const [value] = unit.allValues(section, key);
  if (value !== undefined) return reader.one(value.value, key, value);
  const reference = sameName(name, "service", `${key}=`, { path: unit.path });
  return reference === null ? [] : [reference];
}

/** Here the last one counts. `Service=` and `Accept=yes` together are refused by systemd; the template is our guess then. */
function socketServices(name: UnitName, unit: EffectiveUnit, reader: ReferenceReader): UnitReference[] {
  const accept = unit.last("Socket", "Accept");
  if (accept !== null && parseBoolean(accept.value) === true) {
    const template = parseUnitName(`${unitNameParts(name).prefix}@.service`);
    return template === null ? [] : [{ unit: template, by: "Accept=", at: accept.at }];
  }
  const value = unit.allValues("Socket", "Service").at(-1);
  if (value !== undefined) return reader.one(value.value, "Service", value);
  const reference = sameName(name, "service", "Service=", { path: unit.path });
  return reference === null ? [] : [reference];
}

function sameName(name: UnitName, type: UnitType, by: string, at: SourceLocation): UnitReference | null {
  const unit = parseUnitName(`${name.slice(0, name.lastIndexOf("."))}.${type}`);
  return unit === null ? null : { unit, by, at };
}
