/** One change of the manifest's `units:`, or of its `defaults:`. */
export interface ManifestEdit {
  /** The key as it stands, or is to stand, under `units:`; null: `defaults:`, of which a setting can only be written. */
  readonly unit: string | null;
  /** Null: the whole entry, which can only be removed. */
  readonly key: "state" | "instances" | "restartedAfter" | "adopt" | null;
  /** YAML, on one line; null removes it. */
  readonly value: string | null;
}

/** A file of the repository, by its path from the root; null removes it. */
export interface FileEdit {
  readonly path: string;
  readonly bytes: Uint8Array | null;
}

/** What somebody's word amounts to in the repository. */
export interface RepositoryEdit {
  readonly manifest: readonly ManifestEdit[];
  readonly files: readonly FileEdit[];
}
