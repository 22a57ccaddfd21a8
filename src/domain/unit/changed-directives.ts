import { isCondition } from "./directive-effects.ts";
import type { EffectiveAssignment, EffectiveUnit } from "./effective-unit.ts";
import { parseBoolean } from "./parse-boolean.ts";
import { splitWords } from "./split-words.ts";
import { isBooleanDirective } from "./systemd-directives.ts";

export interface ChangedDirective {
  readonly section: string;
  readonly key: string;
}

/**
 * The directives that amount to something else, in no order. How the values are written, in which file they stand and in which
 * order different keys come is no difference, except where systemd minds. Where its reading is not known the assignments must be
 * the same, one by one.
 */
export function changedDirectives(before: EffectiveUnit, after: EffectiveUnit): readonly ChangedDirective[] {
  return [...new Set([...before.sections, ...after.sections])].flatMap((section) => {
    const [old, next] = [before.assignments(section), after.assignments(section)];
    const families = new Set([...old, ...next].map(({ key }) => familyOf(section, key)));
    return [...families].flatMap((family) => {
      const member = ({ key }: EffectiveAssignment) => familyOf(section, key) === family;
      return changedKeys(old.filter(member), next.filter(member)).map((key) => ({ section, key }));
    });
  });
}

/**
 * Keys that fill one value of systemd's: the later of TimeoutSec= and TimeoutStopSec= counts, and an empty OnCalendar=
 * also forgets every OnBootSec=. Others are a family of their own.
 */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  Timer: ["OnCalendar OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec"],
  Path: ["PathExists PathExistsGlob PathChanged PathModified DirectoryNotEmpty"],
  Socket: [
    "ListenStream ListenDatagram ListenSequentialPacket ListenFIFO ListenNetlink ListenSpecial ListenMessageQueue ListenUSBFunction",
  ],
  Service: ["TimeoutSec TimeoutStartSec TimeoutStopSec TimeoutAbortSec"],
  Unit: ["StartLimitInterval StartLimitIntervalSec"],
};

/** systemd.exec(5) in every section that has it: appended to one list, or each adjusting the other. */
const EXEC_FAMILIES = [
  "BindPaths BindReadOnlyPaths",
  "StandardInputText StandardInputData",
  "CPUSchedulingPolicy CPUSchedulingPriority",
  "IOSchedulingClass IOSchedulingPriority",
  "ReadWritePaths ReadWriteDirectories",
  "ReadOnlyPaths ReadOnlyDirectories",
  "InaccessiblePaths InaccessibleDirectories",
];

const familyByKey: ReadonlyMap<string, string> = new Map([
  ...Object.entries(FAMILIES).flatMap(([section, lists]) =>
    lists.flatMap((list) => list.split(" ").map((key) => [`${section} ${key}`, list] as const)),
  ),
  ...["Service", "Socket", "Mount", "Swap"].flatMap((section) =>
    EXEC_FAMILIES.flatMap((list) => list.split(" ").map((key) => [`${section} ${key}`, list] as const)),
  ),
]);

function familyOf(section: string, key: string): string {
  if (section === "Unit" && isCondition(key)) return key.startsWith("Condition") ? "conditions" : "asserts";
  return familyByKey.get(`${section} ${key}`) ?? key;
}

function changedKeys(old: readonly EffectiveAssignment[], next: readonly EffectiveAssignment[]): readonly string[] {
  const text = (assignments: readonly EffectiveAssignment[]) =>
    JSON.stringify(assignments.map(({ key, value }) => [key, value]));
  if (text(old) === text(next)) return [];
  const keys = [...new Set([...old, ...next].map(({ key }) => key))];
  const valuesOf = (assignments: readonly EffectiveAssignment[], key: string) =>
    assignments.filter((assignment) => assignment.key === key).map(({ value }) => value);
  if (keys.length === 1) return keys.filter((key) => differ(key, valuesOf(old, key), valuesOf(next, key)));
  const own = keys.filter((key) => JSON.stringify(valuesOf(old, key)) !== JSON.stringify(valuesOf(next, key)));
  return own.length > 0 ? own : keys;
}

/** Lists of units: what order and how often says nothing, and no empty assignment takes anything back. */
const UNIT_LISTS: ReadonlySet<string> = new Set(
  `After Before Wants Requires Requisite BindsTo PartOf Upholds Conflicts OnFailure OnSuccess PropagatesReloadTo ReloadPropagatedFrom
  PropagatesStopTo StopPropagatedFrom JoinsNamespaceOf`.split(/\s+/),
);

/** Lists that an empty assignment makes as if nothing had been said. Unlike CapabilityBoundingSet=, whose empty one means none at all. */
const RESETTABLE: ReadonlySet<string> = new Set(
  `ExecCondition ExecStartPre ExecStart ExecStartPost ExecReload ExecStop ExecStopPre ExecStopPost Environment EnvironmentFile
  PassEnvironment UnsetEnvironment OnCalendar SuccessExitStatus RestartPreventExitStatus RestartForceExitStatus SupplementaryGroups
  ReadWritePaths ReadOnlyPaths InaccessiblePaths TemporaryFileSystem LoadCredential Documentation`.split(/\s+/),
);

/** The last assignment counts. Besides those that take yes or no. */
const SINGLE: ReadonlySet<string> = new Set(
  `Description Type Restart RestartSec TimeoutSec TimeoutStartSec TimeoutStopSec RuntimeMaxSec WatchdogSec PIDFile NotifyAccess
  OOMPolicy KillMode KillSignal RestartKillSignal FinalKillSignal User Group WorkingDirectory RootDirectory UMask Nice OOMScoreAdjust Slice
  ProtectSystem ProtectHome PrivateTmp StandardInput StandardOutput StandardError SyslogIdentifier MemoryMin MemoryLow MemoryHigh
  MemoryMax MemorySwapMax TasksMax CPUWeight CPUQuota IOWeight LimitNOFILE LimitNPROC LimitMEMLOCK LimitCORE OnFailureJobMode
  StartLimitIntervalSec StartLimitBurst StartLimitAction JobTimeoutSec AccuracySec RandomizedDelaySec Unit Service SocketMode SocketUser
  SocketGroup MaxConnections What Where`.split(/\s+/),
);

/** Whether of several assignments the last is all that counts, as far as that is known here. */
export function isSingleValued(key: string): boolean {
  return SINGLE.has(key) || isBooleanDirective(key);
}

function differ(key: string, before: readonly string[], after: readonly string[]): boolean {
  return JSON.stringify(meaning(key, before, after)) !== JSON.stringify(meaning(key, after, before));
}

/** What a key's assignments amount to, in a form that is equal exactly where systemd's is known to be. */
function meaning(key: string, values: readonly string[], others: readonly string[]): readonly string[] {
  if (UNIT_LISTS.has(key)) return [...new Set(values.flatMap((value) => splitWords(value).words))].sort();
  if (RESETTABLE.has(key)) return values.slice(values.lastIndexOf("") + 1);
  // What an empty one means differs from key to key: ignored, the default, or nothing at all. So does what systemd cannot read.
  const all = [...values, ...others];
  if (all.includes("")) return values;
  if (isBooleanDirective(key)) {
    const booleans = values.map(parseBoolean);
    return all.some((value) => parseBoolean(value) === null) ? values : booleans.slice(-1).map(String);
  }
  return SINGLE.has(key) ? values.slice(-1) : values;
}
