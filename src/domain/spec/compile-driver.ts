import type { Diagnostic } from "../diagnostic.ts";
import { type DriverPolicy, SYNC_INTERVAL_MS } from "../sync/driver-policy.ts";
import type { Manifest } from "./manifest.ts";

/** The manifest's `release:` and `sync:`; null where releases are made by `fleet apply`. */
export function compileDriver({ release, sync, trust }: Pick<Manifest, "release" | "sync" | "trust">): {
  readonly driver: DriverPolicy | null;
  readonly diagnostics: readonly Diagnostic[];
} {
  const by = release?.by ?? "apply";
  const { maxRestarts = null, maxStops = null } = release ?? {};
  if (by === "apply") {
    const unused = maxRestarts !== null || maxStops !== null ? release : sync;
    return { driver: null, diagnostics: unused === null ? [] : [withoutEffect(unused)] };
  }
  const isOpen = trust === null || trust.mode === "off" || (trust.signers === null && trust.forgeKeys.length === 0);
  return {
    driver: {
      by,
      intervalMs: sync?.intervalMs ?? SYNC_INTERVAL_MS,
      ...(sync == null || sync.maxAgeMs === null ? {} : { maxAgeMs: sync.maxAgeMs }),
      ...(maxRestarts === null ? {} : { maxRestarts }),
      ...(maxStops === null ? {} : { maxStops }),
    },
    diagnostics: by === "approval" && isOpen && release !== null ? [openToAll(release)] : [],
  };
}

function withoutEffect({ at }: Pick<NonNullable<Manifest["sync"]>, "at">): Diagnostic {
  const saw = "settings of an engine that follows the branch, in a cluster whose releases are made by fleet apply";
  const next = "add release: { by: sync }, or remove them";
  return { code: "driver-unused", severity: "warning", at, saw, next };
}

function openToAll({ at }: Pick<NonNullable<Manifest["release"]>, "at">): Diagnostic {
  const saw = "release: by: approval, and nobody is named whose approval counts: whoever may push may approve";
  const next = "say whose: fleet trust init";
  return { code: "approval-open", severity: "warning", at, saw, next };
}
