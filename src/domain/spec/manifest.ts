import type { ConfirmPolicy } from "../confirm/confirm-policy.ts";
import type { SourceLocation } from "../diagnostic.ts";
import type { DriftPolicy } from "../drift/drift-policy.ts";
import type { NodeKey } from "../identity/node-key.ts";
import type { LintSettings } from "../lint/lint-rules.ts";
import type { LossThresholds } from "../loss/damping.ts";
import type { MachineId } from "../names.ts";
import type { StatusPolicy } from "../notify/convergence-status.ts";
import type { NotifyEvent } from "../notify/notify-policy.ts";
import type { Driver } from "../sync/driver-policy.ts";
import type { ForgeKey } from "../trust/commit-signature.ts";
import type { TrustMode } from "../trust/trust-policy.ts";
import type { OnDisconnect } from "../unit/on-disconnect.ts";
import type { ReplaceOption } from "../unit/replace-option.ts";
import type { Canary, UnitGoal } from "./cluster-spec.ts";

/** A value and where the author wrote it, so that a later finding can point there. */
export interface Located<T> {
  readonly value: T;
  readonly at: SourceLocation;
}

/** `fleet.yaml` as plain values: shapes checked, nothing yet compared with the files of the repository. */
export interface Manifest {
  /** A part had an error and was left out: good for finding more problems, never for a spec. */
  readonly flawed: boolean;
  readonly cluster: Located<string>;
  /** Informative: which repository and branch the author had in mind. */
  readonly source: { readonly url: string | null; readonly branch: string | null } | null;
  /** Relative to the manifest, as written; `units` where the manifest says nothing. */
  readonly paths: readonly Located<string>[];
  /** For every unit that does not say otherwise. */
  readonly defaults: UnitSettings;
  /** In the file's order, keys unique. */
  readonly units: readonly ManifestUnit[];
  /** In the file's order, keys unique. */
  readonly machines: readonly ManifestMachine[];
  /** Null where the manifest leaves it to the default: `listed` once machines are listed, else `any`. */
  readonly admit: Located<"listed" | "any"> | null;
  readonly loss: LossSettings;
  /** Rules whose level it sets. */
  readonly lint: LintSettings;
  /** People whom secrets are encrypted to beside the machines: recipients of age. In the file's order. */
  readonly secretRecipients: readonly string[];
  /** In the file's order. Empty: all machines at once. */
  readonly rings: readonly ManifestRing[];
  /** Null: says nothing of restarts. */
  readonly reboots: ManifestReboots | null;
  /** Null: every commit is acceptable. */
  readonly trust: ManifestTrust | null;
  /** In the file's order. Empty: nobody is told anything. */
  readonly notify: readonly ManifestNotify[];
  /** Null: nobody posts how commits fare. */
  readonly status: StatusPolicy | null;
  /** Null: says nothing of who makes releases. */
  readonly release: ManifestRelease | null;
  /** Null: says nothing of it. */
  readonly sync: ManifestSync | null;
}

export interface ManifestRelease {
  readonly by: Driver | null;
  readonly maxRestarts: number | null;
  readonly maxStops: number | null;
  /** The key `release` itself. */
  readonly at: SourceLocation;
}

export interface ManifestSync {
  readonly intervalMs: number | null;
  /** Null: however old. */
  readonly maxAgeMs: number | null;
  /** The key `sync` itself. */
  readonly at: SourceLocation;
}

export interface ManifestNotify {
  readonly on: readonly NotifyEvent[];
  readonly webhook: string | null;
  readonly command: string | null;
  /** Its `on`; a webhook's own line may hold a secret. */
  readonly at: SourceLocation;
}

export interface ManifestTrust {
  /** Null where it leaves it to the default: `range` where anybody may sign, else `off`. */
  readonly mode: TrustMode | null;
  /** Relative to the manifest. */
  readonly signers: Located<string> | null;
  readonly forgeKeys: readonly ForgeKey[];
  readonly rules: readonly ManifestTrustRule[];
  /** The key `trust` itself. */
  readonly at: SourceLocation;
}

export interface ManifestTrustRule {
  /** From the repository's root. */
  readonly paths: readonly Located<string>[];
  /** Empty: every signer. */
  readonly signers: readonly string[];
  readonly count: number | null;
}

export interface ManifestRing {
  /** A selector, or `*`. */
  readonly match: Located<string>;
  readonly soakMs: number | null;
  readonly window: Located<string> | null;
}

export interface ManifestReboots {
  readonly slots: number | null;
  readonly window: Located<string> | null;
  readonly drain: boolean;
}

/** Thresholds it sets; where they stand, so that two of them may be held against each other. */
export interface LossSettings {
  readonly values: Partial<LossThresholds>;
  /** Null where it says nothing of losses. */
  readonly at: SourceLocation | null;
}

/** What the manifest may say of a unit. Null: says nothing. */
export interface UnitSettings {
  readonly state: Located<UnitGoal> | null;
  /** Names of instances; `instances: 3` arrives as 1, 2, 3. At most INSTANCES_MAX. */
  readonly instances: Located<readonly Located<string>[]> | null;
  /** In the file's order, names unique. */
  readonly environment: readonly EnvironmentVariable[];
  readonly rollout: RolloutSettings;
  readonly move: Located<"auto" | "never"> | null;
  readonly group: Located<"auto" | "none"> | null;
  readonly onDisconnect: Located<OnDisconnect> | null;
  readonly replace: Located<ReplaceOption> | null;
  readonly adopt: boolean | null;
  readonly drift: DriftPolicy | null;
  readonly confirm: ConfirmPolicy | null;
  /** In the file's order, paths unique. */
  readonly files: readonly DeclaredFile[];
  /** Whose its secrets are on its machine, where that is not root. In the file's order. */
  readonly secrets: readonly DeclaredSecret[];
  /** RESTARTED_AFTER_FORM. */
  readonly restartedAfter: Located<string> | null;
}

/** A file the manifest gives a unit. Null: as the repository has it, or root's. */
export interface DeclaredSecret {
  readonly name: string;
  readonly mode: string | null;
  readonly owner: string | null;
  readonly group: string | null;
  /** Said of all units: those that do not name it are not meant. */
  readonly isDefault: boolean;
  readonly at: SourceLocation;
}

export interface DeclaredFile {
  /** Below the unit's own folder on its machine; and below its component's `files/` where `from` is null. */
  readonly path: string;
  /** A file of the repository, relative to the manifest. */
  readonly from: Located<string> | null;
  readonly mode: string | null;
  readonly owner: string | null;
  readonly group: string | null;
  readonly at: SourceLocation;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
  readonly at: SourceLocation;
}

/** Durations in milliseconds. */
export interface RolloutSettings {
  readonly maxUnavailable: number | null;
  readonly minHealthyTimeMs: number | null;
  readonly healthDeadlineMs: number | null;
  readonly maxParallel: number | null;
  readonly onFailure: "hold" | "rollback" | null;
  /** `none` is said of a unit that is to have none although `defaults` have one. */
  readonly canary: Located<Canary | "none"> | null;
  readonly bakeMs: number | null;
  /** The key `rollout` itself; null where it is not written. */
  readonly at: SourceLocation | null;
}

export interface ManifestUnit {
  /** The unit's name as written. */
  readonly key: Located<string>;
  readonly settings: UnitSettings;
}

export interface ManifestMachine {
  /** A machine's name, or a selector's text. */
  readonly key: Located<string>;
  readonly id: Located<MachineId> | null;
  /** `key:` of the stanza, its agent's. */
  readonly machineKey: Located<NodeKey> | null;
  /** `engineKey:` of the stanza. */
  readonly engineKey: Located<NodeKey> | null;
  readonly metadata: readonly (Located<string> & { readonly key: string })[];
  readonly drain: boolean;
  readonly cordon: boolean;
  readonly dropins: readonly ManifestMachineDropins[];
  /** Folders of units that are this machine's alone, relative to the manifest, as written. */
  readonly paths: readonly Located<string>[];
}

export interface ManifestMachineDropins {
  readonly unit: Located<string>;
  /** Relative to the manifest. */
  readonly paths: readonly Located<string>[];
}

/**
 * The most instances one template may have. Ten times what one unit of any known cluster ran, and small enough that a
 * mistyped `instances: 100000000` is refused instead of expanded.
 */
export const INSTANCES_MAX = 1000;
