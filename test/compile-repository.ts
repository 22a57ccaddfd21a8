import { createHash } from "node:crypto";
import { readManifest } from "../src/codec/manifest/read-manifest.ts";
import type { Diagnostic } from "../src/domain/diagnostic.ts";
import type { Sha256 } from "../src/domain/names.ts";
import type { ClusterSpec } from "../src/domain/spec/cluster-spec.ts";
import { compileSpec } from "../src/domain/spec/compile-spec.ts";
import type { RepositoryFile } from "../src/domain/spec/repository-files.ts";

export const sha256: Sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** A commit as path → text, with its manifest at `manifestPath`, compiled as the use cases do. */
export function compileRepository(
  repository: Readonly<Record<string, string | RepositoryFile>>,
  manifestPath = "fleet.yaml",
): { spec: ClusterSpec | null; diagnostics: readonly Diagnostic[] } {
  const manifestText = repository[manifestPath];
  if (typeof manifestText !== "string") throw new Error(`the repository has no ${manifestPath}`);
  const read = readManifest(manifestPath, manifestText);
  if (read.manifest === null) return { spec: null, diagnostics: read.diagnostics };
  const { spec, diagnostics } = compileSpec(
    { manifestPath, manifest: read.manifest, files: filesOf(repository) },
    sha256,
  );
  return { spec, diagnostics: [...read.diagnostics, ...diagnostics] };
}

export function filesOf(repository: Readonly<Record<string, string | RepositoryFile>>): readonly RepositoryFile[] {
  return Object.entries(repository).map(([path, file]) =>
    typeof file === "string" ? { path, kind: "file", oid: "", bytes: new TextEncoder().encode(file) } : file,
  );
}

/** `path:line code saw` of each, the form in which tests expect findings. */
export function shownFindings(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.map(({ at, code, saw }) => {
    const place = at === undefined ? "-" : at.line === undefined ? at.path : `${at.path}:${at.line}`;
    return `${place} ${code} ${saw}`;
  });
}
