import type { UnitName } from "../src/domain/names.ts";
import type { UnitDetails, UnitManager } from "../src/ports/unit-manager.ts";

/** Of a unit by its name; null where systemd does not hold it. */
export async function detailsOf(manager: UnitManager, name: UnitName): Promise<UnitDetails | null> {
  const [unit] = await manager.list([name]);
  return unit === undefined ? null : manager.details(unit);
}
