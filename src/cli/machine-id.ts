import { readFileSync } from "node:fs";
import { type MachineId, parseMachineId } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";

/** This machine's id. Throws OperationError `no-machine-id`. */
export function machineId(): MachineId {
  const machine = parseMachineId(readFileSync("/etc/machine-id", "utf8").trim());
  if (machine !== null) return machine;
  throw new OperationError("no-machine-id", "/etc/machine-id does not hold a machine id", {
    next: "systemd-machine-id-setup makes one",
  });
}

/** This boot's. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
