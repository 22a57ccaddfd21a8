import type { UnitName } from "../names.ts";
import { activatedUnits } from "./activated-units.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { unitNameParts } from "./unit-name.ts";
import { ReferenceReader } from "./unit-reference.ts";

/**
 * The service a socket is handed to whole. systemd refuses to open a socket while that service is up ("Socket service already active,
 * refusing", socket_start() in its socket.c), so whoever restarts the socket must stop the service first. Instances of `Accept=yes` hold
 * connections only. Names as written, expanded; nothing for other units.
 */
export function socketUsers(name: UnitName, unit: EffectiveUnit): UnitName[] {
  if (unitNameParts(name).type !== "socket") return [];
  return activatedUnits(name, unit, new ReferenceReader(name, unit))
    .filter((reference) => reference.by !== "Accept=")
    .map((reference) => reference.unit);
}
