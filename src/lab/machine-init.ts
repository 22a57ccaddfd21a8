/**
 * The machine's boot id once more: what runs with a /proc of its own (`ProtectProc=`) would see the host's, and binds this over it. Without
 * it, journalctl finds no line of this boot.
 */
export const BOOT_ID_COPY = "/etc/fleet-lab-boot-id";

/**
 * The shell script that becomes systemd as PID 1 of one machine. It runs in new pid, mount, uts, ipc and cgroup namespaces and an
 * existing network one. Its arguments come by environment: NAME, DISK (the machine's folder), SHARED, BUNDLE, NODE.
 *
 * The root is an overlay over the host's root, its upper layer on the lab's own tmpfs, so nothing a unit writes anywhere reaches
 * the host. Other file systems of the host get overlays of their own, or are read-only where the kernel refuses one (overlays over
 * overlays have a depth, and paths may hold a colon). /tmp, /var/tmp, /run and /var/log are the machine's, or its systemd would empty
 * the host's; udev, tmpfiles and the network's services are masked: they belong to the host. The kernel's settings are the host's as
 * well (a booting systemd raises fs.file-max), so /proc/sys and /sys are read-only but for what is the machine's own: its network. Mounts are
 * shared at last, as systemd makes them where it is in no container: else what it mounts for a unit from elsewhere (credentials) never gets there.
 */
export const MACHINE_INIT = `set -eu
ROOT=$DISK/root
mount --make-rprivate /
mkdir -p $ROOT $DISK/upper $DISK/work $DISK/log $DISK/units
mount -t overlay overlay -o lowerdir=/,upperdir=$DISK/upper,workdir=$DISK/work $ROOT
n=0
while read -r path; do
  case $path/ in //|/proc/*|/sys/*|/dev/*|/run/*|/tmp/*|/var/tmp/*|/boot/*) continue ;; esac
  case $path/ in /var/lib/fleet-lab/*|/var/lib/docker/*|/var/lib/containers/*) continue ;; esac
  [ -d "$path" ] && [ -d "$ROOT$path" ] || continue
  n=$((n+1)); mkdir -p $DISK/sub/$n/upper $DISK/sub/$n/work
  mount -t overlay overlay -o "lowerdir=$path,upperdir=$DISK/sub/$n/upper,workdir=$DISK/sub/$n/work" "$ROOT$path" ||
    { mount --bind "$path" "$ROOT$path"; mount -o remount,bind,ro "$ROOT$path"; }
done < $DISK/host-mounts
mount -t proc proc $ROOT/proc
mount --bind $ROOT/proc/sys $ROOT/proc/sys; mount -o remount,bind,ro $ROOT/proc/sys
mount --bind $ROOT/proc/sys/net $ROOT/proc/sys/net; mount -o remount,bind,rw $ROOT/proc/sys/net
if [ -e $ROOT/proc/sysrq-trigger ]; then
  mount --bind $ROOT/proc/sysrq-trigger $ROOT/proc/sysrq-trigger; mount -o remount,bind,ro $ROOT/proc/sysrq-trigger
fi
mount -t sysfs sysfs $ROOT/sys; mount -o remount,bind,ro $ROOT/sys
mount -t cgroup2 cgroup2 $ROOT/sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs $ROOT/dev
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
  set -- $node; mknod -m 666 $ROOT/dev/$1 c $2 $3
done
mkdir -p $ROOT/dev/pts $ROOT/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts $ROOT/dev/pts
ln -s pts/ptmx $ROOT/dev/ptmx
ln -s /proc/self/fd $ROOT/dev/fd
mount -t tmpfs -o mode=1777 tmpfs $ROOT/dev/shm
for dir in /tmp /var/tmp; do mkdir -p $ROOT$dir; mount -t tmpfs -o mode=1777 tmpfs $ROOT$dir; done
mkdir -p $ROOT/run $ROOT/var/log $ROOT/var/lib/fleet $ROOT/etc/fleet $ROOT/etc/systemd/system $ROOT/opt/fleet
mount -t tmpfs -o mode=755 tmpfs $ROOT/run
mkdir -p $ROOT/run/lock $ROOT/run/fleet
mount --bind $DISK/log $ROOT/var/log
mkdir -p $DISK/state $DISK/etc-fleet
mount --bind $DISK/state $ROOT/var/lib/fleet
mount --bind $DISK/etc-fleet $ROOT/etc/fleet
mount --bind $DISK/units $ROOT/etc/systemd/system
rm -f $ROOT/etc/machine-id $ROOT/etc/hostname $ROOT/etc/hosts
cp $DISK/machine-id $ROOT/etc/machine-id; cp $DISK/hosts $ROOT/etc/hosts; echo $NAME > $ROOT/etc/hostname
for table in fstab crypttab; do [ ! -e $ROOT/etc/$table ] || : > $ROOT/etc/$table; done
mkdir -p $ROOT/etc/systemd/system-generators
for folder in /usr/lib/systemd /lib/systemd /usr/local/lib/systemd /etc/systemd; do
  for generator in $ROOT$folder/system-generators/*; do
    case $generator in *"/*"|*/podman-system-generator) continue ;; esac
    ln -sfn /dev/null "$ROOT/etc/systemd/system-generators/\${generator##*/}"
  done
done
cp $DISK/boot-id $ROOT${BOOT_ID_COPY}
mount --bind $DISK/boot-id $ROOT/proc/sys/kernel/random/boot_id
mkdir -p $ROOT/opt/fleet/app $ROOT/opt/fleet/shared; touch $ROOT/opt/fleet/node
mount --bind $BUNDLE $ROOT/opt/fleet/app; mount -o remount,bind,ro $ROOT/opt/fleet/app
mount --bind $NODE $ROOT/opt/fleet/node; mount -o remount,bind,ro $ROOT/opt/fleet/node
mount --bind $SHARED $ROOT/opt/fleet/shared
if [ -e $BUNDLE/systemd/fleet.sysusers.conf ]; then
  systemd-sysusers --root=$ROOT - < $BUNDLE/systemd/fleet.sysusers.conf
  group=$(sed -n 's/^fleet:[^:]*:\\([0-9]*\\):.*/\\1/p' $ROOT/etc/group)
  mkdir -p $SHARED/compile-cache
  chgrp $group $SHARED $SHARED/compile-cache
  chmod 2755 $SHARED; chmod 2775 $SHARED/compile-cache
  [ ! -e $SHARED/registry.sock ] || chgrp $group $SHARED/registry.sock
fi
ln -s /opt/fleet/shared/registry.sock $ROOT/run/fleet/registry.sock
mkdir -p $ROOT/.host
cd $ROOT
pivot_root . .host
umount -l /.host
rmdir /.host
cd /
mount --make-rshared /
export container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset NAME DISK SHARED BUNDLE NODE ROOT
for systemd in /usr/lib/systemd/systemd /lib/systemd/systemd; do
  [ -x $systemd ] && exec $systemd --system --log-target=journal --show-status=0
done
exit 127
`;

/** Units of the host's systemd that a machine must not run: they would act on the host's devices, clock or network. */
export const MASKED_UNITS: readonly string[] = [
  ...[
    "binfmt",
    "modules-load",
    "remount-fs",
    "sysctl",
    "udevd",
    "udev-trigger",
    "udev-settle",
    "update-utmp",
    "networkd",
    "networkd-wait-online",
  ].map(systemdUnit),
  ...[
    "resolved",
    "timesyncd",
    "tmpfiles-setup-dev",
    "tmpfiles-setup",
    "tmpfiles-clean",
    "sysusers",
    "machine-id-commit",
    "random-seed",
  ].map(systemdUnit),
  ...[
    "logind",
    "hwdb-update",
    "firstboot",
    "pstore",
    "rfkill",
    "boot-check-no-failures",
    "growfs-root",
    "ask-password-console",
  ].map(systemdUnit),
  "systemd-tmpfiles-clean.timer",
  "systemd-udevd-control.socket",
  "systemd-udevd-kernel.socket",
  "systemd-networkd.socket",
  "systemd-initctl.socket",
  "dev-hugepages.mount",
  "dev-mqueue.mount",
  "sys-kernel-config.mount",
  "sys-kernel-debug.mount",
  "sys-kernel-tracing.mount",
  "sys-fs-fuse-connections.mount",
  "proc-sys-fs-binfmt_misc.automount",
  "proc-sys-fs-binfmt_misc.mount",
  "getty.target",
  "modprobe@.service",
];

function systemdUnit(name: string): string {
  return `systemd-${name}.service`;
}

/** What a machine boots to: D-Bus, the journal and fleet's daemons, nothing of what the host's administrator enabled. */
export function defaultTarget(wants: readonly string[]): string {
  return `[Unit]
Description=lab machine
Requires=basic.target
Wants=dbus.socket dbus.service ${wants.join(" ")}
After=basic.target
AllowIsolate=yes
`;
}
