/** What `fleet doctor` looks at, in the order in which it is told: what the later ones need comes first. */
export const DOCTOR_AREAS = [
  "systemd",
  "disk",
  "limits",
  "daemons",
  "memory",
  "units",
  "registry",
  "cluster",
  "source",
  "podman",
] as const;
export type DoctorArea = (typeof DOCTOR_AREAS)[number];

/** What `fleet registry check` looks at, in its order. */
export const REGISTRY_AREAS = ["registry", "members", "store", "access", "certificates"] as const;
export type RegistryArea = (typeof REGISTRY_AREAS)[number];

/** Every code a finding of `fleet doctor` may have; docs/diagnostics.md says the same of each. */
export const FINDING_CODES = [
  "agent-few-files",
  "agent-missing",
  "agent-not-enabled",
  "agent-not-running",
  "agent-silent",
  "agent-starts-again",
  "boot-set-damaged",
  "bus-unreachable",
  "clock-behind",
  "daemon-failed",
  "daemon-masked",
  "disk-almost-full",
  "disk-full",
  "drop-in-of-others",
  "etcd-data",
  "etcd-leases",
  "etcd-rbac",
  "folder-read-only",
  "hub-away",
  "hub-engine-away",
  "inotify-low",
  "machine-id-bad",
  "machine-id-twice",
  "memory-damaged",
  "no-cluster-yet",
  "no-registry",
  "no-source",
  "not-booted-by-systemd",
  "not-heard-of",
  "not-seen",
  "other-cluster-here",
  "podman-old",
  "podman-without-quadlet",
  "registry-alarm",
  "registry-away",
  "registry-of-newer-fleet",
  "registry-replaced-here",
  "registry-slow",
  "restore-missing",
  "restore-not-enabled",
  "source-away",
  "standalone-behind",
  "standalone-joined",
  "systemd-old",
  "unit-masked",
  "unit-shadowed",
] as const;
/** What `fleet registry check` may find besides. */
export const REGISTRY_FINDING_CODES = [
  "certificate-ends",
  "certificate-over",
  "clock-differs",
  "etcd-keeps-all",
  "etcd-member-away",
  "etcd-members",
  "etcd-mixed",
  "etcd-one-endpoint",
  "etcd-open",
  "registry-almost-full",
  "registry-socket-open",
] as const;
export type FindingCode = (typeof FINDING_CODES)[number] | (typeof REGISTRY_FINDING_CODES)[number];

/** Something wrong on this machine, for whoever looks after it. */
export interface Finding {
  readonly code: FindingCode;
  /** An error keeps fleet from doing its work here, now or when it is needed; a warning may, or makes something else worse. */
  readonly severity: "warning" | "error";
  readonly saw: string;
  readonly expected: string;
  /** The next step, a command where there is one. */
  readonly next: string;
}

export interface AreaReport {
  readonly area: DoctorArea | RegistryArea;
  /** The worst of its findings. */
  readonly severity: "ok" | "warning" | "error";
  /** In one line, how things are. */
  readonly saw: string;
  readonly findings: readonly Finding[];
}

/** What a judge of one area says. */
export type AreaVerdict = Pick<AreaReport, "saw" | "findings">;
