import type { UnitName } from "../names.ts";

const TARGETS: Readonly<Record<string, string>> = {
  mount: "local-fs.target",
  path: "paths.target",
  slice: "slices.target",
  socket: "sockets.target",
  swap: "swap.target",
  timer: "timers.target",
};

/** What starts a unit of this type at boot where nobody says otherwise: systemd.special(7). */
export function bootTarget(unit: UnitName): string {
  return TARGETS[unit.slice(unit.lastIndexOf(".") + 1)] ?? "multi-user.target";
}
