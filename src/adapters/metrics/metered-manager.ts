import type { Clock } from "../../ports/clock.ts";
import type { Meter } from "../../ports/meter.ts";
import type { UnitManager } from "../../ports/unit-manager.ts";
import { measured } from "./measured.ts";

const CALLS: Readonly<Partial<Record<keyof UnitManager, string>>> = {
  list: "list",
  details: "details",
  sources: "sources",
  start: "start",
  stop: "stop",
  reloadUnit: "reloadUnit",
  reload: "reload",
  resetFailed: "resetFailed",
};

/** The same systemd, its calls measured. */
export function meteredManager(manager: UnitManager, meter: Meter, clock: Clock): UnitManager {
  return measured(manager, CALLS, clock, (call, seconds, code) => {
    meter.observe("fleet_systemd_call_seconds", seconds, { call });
    if (code !== null) meter.count("fleet_systemd_call_failures_total", { call, code });
  });
}
