import type { Clock } from "../../ports/clock.ts";
import { SystemBus } from "./system-bus.ts";
import { systemdRefusal } from "./systemd-refusal.ts";

const ADDRESS = "unix:path=/run/dbus/system_bus_socket";

/**
 * Has systemd stop everything in order and restart the machine, as `systemctl reboot` does. Not by its method Reboot: that stops
 * nothing, and is for the end of a shutdown. Irreversibly: whatever is queued later does not keep the machine.
 */
export async function orderReboot(clock: Clock): Promise<void> {
  const bus = new SystemBus(ADDRESS, clock, { signal: () => undefined, lost: () => undefined });
  try {
    await bus.call({ member: "StartUnit", signature: "ss", body: ["reboot.target", "replace-irreversibly"] });
  } catch (error) {
    throw systemdRefusal("restarting the machine", error);
  } finally {
    bus.close();
  }
}
