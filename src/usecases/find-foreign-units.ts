import { compareText, type UnitName } from "../domain/names.ts";
import { parseUnitName, serviceNameOf, unitNameParts } from "../domain/unit/unit-name.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import type { AgentFiles } from "./agent-files.ts";

/**
 * Units that run here and whose file, or whose template's, an administrator put into /etc/systemd/system: what could be taken over. Not
 * fleet's own, nor what packages brought and somebody merely enabled. Of templates those instances that are enabled. Sorted.
 */
export async function findForeignUnits(manager: UnitManager, files: AgentFiles): Promise<UnitName[]> {
  const installed = new Set(await files.adopted.installed());
  const enabled = (await files.adopted.links()).keys();
  const names = [...new Set([...installed, ...enabled])].flatMap((text) => {
    const name = parseUnitName(text);
    if (name === null || unitNameParts(name).isTemplate) return [];
    return installed.has(name) || installed.has(unitNameParts(name).template ?? "") ? [name] : [];
  });
  const owned = await files.readOwned();
  const byService = new Map(names.filter((name) => !owned.has(name)).map((name) => [serviceNameOf(name), name]));
  const running = await manager.list([...byService.keys()]);
  return running
    .filter(({ load, active }) => load === "loaded" && active === "active")
    .map(({ name }) => byService.get(name)!)
    .sort(compareText);
}
