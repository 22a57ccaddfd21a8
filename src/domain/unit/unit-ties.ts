import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import type { UnitName } from "../names.ts";
import { activatedUnits } from "./activated-units.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import type { FleetOptions } from "./fleet-options.ts";
import { mountDependencies } from "./mount-dependencies.ts";
import { quadletProblems } from "./quadlet-problems.ts";
import { quadletReferences } from "./quadlet-references.ts";
import { ReferenceReader, sortedReferences, type UnitReference } from "./unit-reference.ts";

/**
 * The units one unit names, by what the naming means to fleet. Names outside the commit are host units, and names of a
 * quadlet's service mean the quadlet: both are the caller's to resolve. Each list is sorted by unit, then directive.
 */
export interface UnitTies {
  /** Without these on its machine it does not start. */
  readonly hardDependencies: readonly UnitReference[];
  /** What this timer, socket, path or automount starts. A template where a socket has `Accept=yes`. */
  readonly activates: readonly UnitReference[];
  /** Quadlet files this quadlet names. */
  readonly quadlets: readonly UnitReference[];
  /** Peers wanted on its machine. */
  readonly machineOf: readonly UnitReference[];
  /** It starts after these, where they are. */
  readonly after: readonly UnitReference[];
  /** These start after it. */
  readonly before: readonly UnitReference[];
  /** Started along, and not missed. */
  readonly wants: readonly UnitReference[];
  /** Units that pull it in by its `[Install]` section: `WantedBy=`, `RequiredBy=`, `UpheldBy=`. */
  readonly installedInto: readonly UnitReference[];
  /** Every unit named anywhere: all of the above and the likes of `OnFailure=`. Templates among them must travel with it. */
  readonly mentions: readonly UnitReference[];
  /** Names nobody can read, as warnings: systemd skips them and runs the unit without. Quadlets fleet cannot follow, as errors. */
  readonly diagnostics: readonly Diagnostic[];
}

/** `BindTo=` and the `…Overridable=` ones are old spellings that systemd 252 still takes. */
const HARD = ["Requires", "Requisite", "BindsTo", "BindTo", "RequiresOverridable", "RequisiteOverridable"];

/** The rest of systemd.unit(5)'s directives that take unit names, with old spellings. */
const OTHER = [
  "Conflicts",
  "JoinsNamespaceOf",
  "OnFailure",
  "OnSuccess",
  "PartOf",
  "PropagateReloadFrom",
  "PropagateReloadTo",
  "PropagatesReloadTo",
  "PropagatesStopTo",
  "ReloadPropagatedFrom",
  "StopPropagatedFrom",
  "Upholds",
];

const INSTALL = ["RequiredBy", "UpheldBy", "WantedBy"];

/** Sections whose units run in a slice of the author's choice. */
const SLICED = ["Mount", "Scope", "Service", "Slice", "Socket", "Swap"];

export function unitTies(name: UnitName, unit: EffectiveUnit, options: FleetOptions): UnitTies {
  const reader = new ReferenceReader(name, unit);
  const hardDependencies = sortedReferences([
    ...reader.list("Unit", ...HARD),
    // The sockets a service takes over from: it fails to start without them.
    ...reader.list("Service", "Sockets"),
    ...mountDependencies(name, unit),
  ]);
  const activates = sortedReferences(activatedUnits(name, unit, reader));
  const quadlets = sortedReferences(quadletReferences(name, unit, reader));
  const at: SourceLocation = unit.sectionAt("X-Fleet") ?? { path: unit.path };
  const machineOf = sortedReferences(options.machineOf.map((peer) => ({ unit: peer, by: "MachineOf=", at })));
  const after = sortedReferences(reader.list("Unit", "After"));
  const before = sortedReferences(reader.list("Unit", "Before"));
  const wants = sortedReferences(reader.list("Unit", "Wants"));
  const installedInto = sortedReferences(reader.list("Install", ...INSTALL));
  const others = [
    ...reader.list("Unit", ...OTHER),
    ...reader.list("Install", "Also"),
    ...SLICED.flatMap((section) => reader.list(section, "Slice")),
  ];
  const named = [hardDependencies, activates, quadlets, machineOf, after, before, wants, installedInto, others];
  return {
    hardDependencies,
    activates,
    quadlets,
    machineOf,
    after,
    before,
    wants,
    installedInto,
    mentions: sortedReferences(named.flat()),
    diagnostics: [...reader.diagnostics, ...quadletProblems(name, unit)],
  };
}
