import type { UnitName } from "../names.ts";

/** fleet's own units, by whatever package or person installed them. */
const FLEETS =
  /^fleet(d|-(agent|daemon|engine|hub|lease@[^.]*|registry|restore))?\.(service|socket|slice|target|timer)$/;

/** Names below which systemd and its helpers live; `systemd-` units that people write begin otherwise. */
const SYSTEMDS =
  /^(systemd-.+|initrd-.+|dbus(-broker|-org\..+)?|user@.*|user-runtime-dir@.*|emergency|rescue|debug-shell|-)\.(service|socket|slice|mount|target)$/;

/** Units that exist on every machine, without which it does not boot, or nobody can log in. */
const EVERYWHERE: ReadonlySet<string> = new Set(
  [
    "system.slice user.slice machine.slice init.scope",
    "basic.target bluetooth.target default.target emergency.target exit.target final.target getty.target graphical.target",
    "halt.target hibernate.target initrd.target kexec.target local-fs.target local-fs-pre.target multi-user.target",
    "network.target network-online.target network-pre.target nss-lookup.target nss-user-lookup.target paths.target",
    "poweroff.target reboot.target remote-fs.target remote-fs-pre.target rescue.target rpcbind.target shutdown.target",
    "sigpwr.target sleep.target slices.target sockets.target suspend.target swap.target sysinit.target",
    "system-update.target time-set.target time-sync.target timers.target umount.target",
    "ssh.service ssh.socket sshd.service sshd.socket sshd@.service",
    "getty@.service serial-getty@.service container-getty@.service autovt@.service",
    "dev.mount proc.mount run.mount sys.mount tmp.mount",
  ].flatMap((line) => line.split(" ")),
);

/** Whose unit a unit of that name would hide on a machine, or null. Instances are judged by their template too. */
export function reservedFor(service: UnitName): "the system" | "fleet" | null {
  if (FLEETS.test(service)) return "fleet";
  const template = service.replace(/@.*(\.[a-z]+)$/, "@$1");
  return SYSTEMDS.test(service) || EVERYWHERE.has(service) || EVERYWHERE.has(template) ? "the system" : null;
}
