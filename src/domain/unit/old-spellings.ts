/**
 * Directives that systemd 252 still takes under a name it gave up, by section, with the name they have now. Those it tells nobody
 * about and promised to keep (`StartLimitInterval=` in [Service], `ReadOnlyDirectories=`) are not here: they work, everywhere.
 */
const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Unit: {
    BindTo: "BindsTo",
    OnFailureIsolate: "OnFailureJobMode",
    PropagateReloadFrom: "ReloadPropagatedFrom",
    PropagateReloadTo: "PropagatesReloadTo",
    RequiresOverridable: "Requires",
    RequisiteOverridable: "Requisite",
  },
};

/** Directives of cgroup v1 that systemd announces the end of; in every section of units that run processes. */
const CGROUP_V1: Readonly<Record<string, string>> = {
  BlockIOAccounting: "IOAccounting",
  BlockIODeviceWeight: "IODeviceWeight",
  BlockIOReadBandwidth: "IOReadBandwidthMax",
  BlockIOWeight: "IOWeight",
  BlockIOWriteBandwidth: "IOWriteBandwidthMax",
  CPUShares: "CPUWeight",
  MemoryLimit: "MemoryMax",
  StartupBlockIOWeight: "StartupIOWeight",
  StartupCPUShares: "StartupCPUWeight",
};

const CGROUP_SECTIONS: ReadonlySet<string> = new Set(["Mount", "Scope", "Service", "Slice", "Socket", "Swap"]);

/** Directives that systemd reads and throws away, saying so. Their part of it is gone. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "Unit IgnoreOnSnapshot",
  "Service BusPolicy",
  "Service SysVStartPriority",
  ...[...CGROUP_SECTIONS].flatMap((section) => [`${section} Capabilities`, `${section} NetClass`]),
]);

/** The directive's name of today, or null where it has no older one. */
export function newSpellingOf(section: string, key: string): string | null {
  const renamed = RENAMED[section];
  if (renamed !== undefined && Object.hasOwn(renamed, key)) return renamed[key]!;
  return CGROUP_SECTIONS.has(section) && Object.hasOwn(CGROUP_V1, key) ? CGROUP_V1[key]! : null;
}

/** Whether systemd takes the directive and does nothing with it. */
export function isWithoutEffect(section: string, key: string): boolean {
  return WITHOUT_EFFECT.has(`${section} ${key}`);
}
