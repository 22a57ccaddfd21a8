import { readFileSync, writeFileSync } from "node:fs";
import { OperationError } from "../ports/operation-error.ts";
import { type LabState, otherLabs } from "./lab-state.ts";

/** systemd needs three inotify instances a machine; the kernel's default of 128 for a user ends near 30 machines. */
const INOTIFY_PER_MACHINE = 8;
const INOTIFY_SETTING = "/proc/sys/fs/inotify/max_user_instances";

/** What the inotify setting was before the first lab that raised it, where the machines of all labs need it raised. */
export function settingsFor(name: string, count: number): Record<string, string> {
  const others = otherLabs(name);
  const machines = others.reduce((sum, other) => sum + other.machines.length, count);
  const raised = others.map((other) => other.settings[INOTIFY_SETTING]).find((before) => before !== undefined);
  const before = raised ?? readFileSync(INOTIFY_SETTING, "utf8").trim();
  return Number(before) >= machines * INOTIFY_PER_MACHINE ? {} : { [INOTIFY_SETTING]: before };
}

/** Raises the setting where the lab recorded what it was. */
export function makeRoom(lab: LabState): void {
  const before = lab.settings[INOTIFY_SETTING];
  if (before === undefined) return;
  const machines = otherLabs(lab.name).reduce((sum, other) => sum + other.machines.length, lab.machines.length);
  const enough = String(machines * INOTIFY_PER_MACHINE + Number(before));
  try {
    writeFileSync(INOTIFY_SETTING, enough);
  } catch (cause) {
    throw new OperationError("inotify-instances", `${machines} machines need more inotify instances than ${before}`, {
      cause,
      next: `sysctl -w fs.inotify.max_user_instances=${enough}`,
    });
  }
}

/** Puts the host's settings back, but for those that another lab still needs. */
export function restoreSettings(lab: LabState): void {
  const others = otherLabs(lab.name);
  for (const [path, before] of Object.entries(lab.settings)) {
    const needed = others.some((other) => other.settings[path] !== undefined);
    if (!needed && readFileSync(path, "utf8").trim() !== before) writeFileSync(path, before);
  }
}
