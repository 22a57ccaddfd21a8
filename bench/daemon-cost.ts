import type { LabCluster } from "./lab-cluster.ts";

/** Ticks of a processor's time in a second, as /proc counts them: USER_HZ, 100 on every Linux we run on. */
const TICKS_A_SECOND = 100;

export interface DaemonCost {
  /** Of every process in the role's units on all machines, and of children they have waited for. */
  readonly cpuMs: number;
  /** The largest on any machine, of all processes of the unit together. */
  readonly rssMiB: number;
}

export type Role = "agent" | "engine";

/** What fleet's own processes have used since they started, by role. */
export async function daemonCost(cluster: LabCluster): Promise<Record<Role, DaemonCost>> {
  const texts = await Promise.all(cluster.machines.map((machine) => cluster.inside(machine, SCRIPT)));
  const rows = texts.flatMap((text) => text.trim().split("\n")).map((row) => row.split(" "));
  const of = (role: Role): DaemonCost => {
    const own = rows.filter(([name]) => name === role);
    if (own.length !== cluster.machines.length) throw new Error(`${own.length} machines run fleet-${role}`);
    return {
      cpuMs: (own.reduce((sum, [, ticks]) => sum + Number(ticks), 0) * 1_000) / TICKS_A_SECOND,
      rssMiB: Math.max(...own.map(([, , kibibytes]) => Number(kibibytes) / 1024)),
    };
  };
  return { agent: of("agent"), engine: of("engine") };
}

/** Fields 14 to 17 of stat: own and children's user and system time; its second may hold blanks, so it is cut off first. */
const SCRIPT = `for role in agent engine; do
  pids=$(grep -l "/fleet-$role.service$" /proc/[0-9]*/cgroup 2>/dev/null | cut -d/ -f3)
  [ -n "$pids" ] || continue
  ticks=0 rss=0
  for pid in $pids; do
    set -- $(sed 's/.*) //' /proc/$pid/stat 2>/dev/null)
    [ $# -gt 14 ] && ticks=$((ticks + \${12} + \${13} + \${14} + \${15}))
    kib=$(sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$pid/status 2>/dev/null)
    rss=$((rss + \${kib:-0}))
  done
  echo "$role $ticks $rss"
done`;
