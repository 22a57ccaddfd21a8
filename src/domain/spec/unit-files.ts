import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import { remembered } from "../remembered.ts";
import { closestName } from "../unit/closest-name.ts";
import type { EffectiveUnit } from "../unit/effective-unit.ts";
import { fileMentions, means } from "../unit/file-mentions.ts";
import { relativeFiles } from "../unit/relative-files.ts";
import { serviceNameOf } from "../unit/unit-name.ts";
import type { SpecFile } from "./cluster-spec.ts";
import type { ComponentFiles } from "./component-files.ts";
import {
  DELIVERED_BYTES_MAX,
  DELIVERED_FILES_MAX,
  type DeliveredFile,
  type Delivery,
  FILES_ROOT,
} from "./delivered-file.ts";
import type { DeclaredFile } from "./manifest.ts";
import type { RepositoryFile } from "./repository-files.ts";

/** What a unit may be given: what the manifest declares for it, and its component's files. */
export interface FileOffer {
  readonly declared: readonly DeclaredFile[];
  /** By path below the component's `files/`. */
  readonly component: ComponentFiles;
  /** A file of the repository that the manifest names with `from`, as written; null where there is none. */
  readonly named: (from: string) => RepositoryFile | null;
}

export interface UnitFiles {
  /** Sorted by name. */
  readonly files: readonly DeliveredFile[];
  /** Paths in the repository of what it reads. */
  readonly read: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The files a unit reads: those its text names below `/var/lib/fleet/files/%n`, one by one or by their folder, and those the manifest
 * declares for it. What a unit names and nobody has is an error, with the nearest name.
 */
export function unitFiles(name: UnitName, unit: EffectiveUnit, offer: FileOffer): UnitFiles {
  const service = serviceNameOf(name);
  const diagnostics: Diagnostic[] = [];
  const error = (code: string, at: SourceLocation, saw: string, next?: string): void => {
    diagnostics.push({ code, severity: "error", at, saw, ...(next === undefined ? {} : { next }) });
  };
  const offered = new Map<string, { readonly file: RepositoryFile; readonly declared: DeclaredFile | null }>();
  for (const [path, file] of offer.component) offered.set(path, { file, declared: null });
  const wanted = new Set<string>();
  for (const declared of offer.declared) {
    const { path, from, at } = declared;
    const file = from === null ? offer.component.get(path) : offer.named(from.value);
    if (file == null) {
      const what =
        from === null ? `${path}, which is not in the component's files/` : `${from.value}, which is no file`;
      const meant = from === null ? closestName(path, [...offer.component.keys()]) : null;
      error("file-unknown", from?.at ?? at, what, meant === null ? undefined : `did you mean ${meant}?`);
      continue;
    }
    offered.set(path, { file, declared });
    wanted.add(path);
  }
  for (const mention of fileMentions(service, unit)) {
    const { path, at, key } = mention;
    if (path !== service && !path.startsWith(`${service}/`)) {
      const saw = `${key}= names ${FILES_ROOT}/${path}, where this unit has no files`;
      error("file-of-other-unit", at, saw, `a unit's own files lie in ${FILES_ROOT}/%n/`);
      continue;
    }
    const found = [...offered.keys()].filter((one) => means(mention, `${service}/${one}`));
    for (const one of found) wanted.add(one);
    if (found.length > 0) continue;
    const rest = path.slice(service.length + 1);
    const meant = closestName(rest, [...offered.keys()]);
    const next = meant === null ? "add it to the component's files/, or declare it" : `did you mean ${meant}?`;
    error("file-unknown", at, `${key}= names ${rest === "" ? "files of its own" : rest}, and has no such file`, next);
  }
  for (const { key, path, at } of relativeFiles(name, unit)) {
    if (!offer.component.has(path)) continue;
    const saw = `${key}= names files/${path} by a relative path, which podman looks for beside the installed unit`;
    error("file-relative", at, saw, `write ${FILES_ROOT}/%n/${path}`);
  }
  const used = [...wanted].sort(compareText).map((path) => ({ path, ...offered.get(path)! }));
  const files = used.map(({ path, file, declared }) => delivered(path, file, declared));
  const bytes = used.reduce((sum, { file }) => sum + file.bytes.length, 0);
  if (files.length > DELIVERED_FILES_MAX || bytes > DELIVERED_BYTES_MAX) {
    const saw = `${files.length} files of ${bytes} bytes for ${name}`;
    const expected = `at most ${DELIVERED_FILES_MAX} files of ${DELIVERED_BYTES_MAX} bytes together`;
    diagnostics.push({ code: "files-too-many", severity: "error", at: { path: unit.path }, saw, expected });
  }
  return { files, read: used.map(({ file }) => file.path), diagnostics };
}

function delivered(name: string, file: RepositoryFile, declared: DeclaredFile | null): DeliveredFile {
  const mode = declared?.mode ?? (file.executable === true ? "0755" : "0644");
  const { owner, group } = { owner: declared?.owner ?? "root", group: declared?.group ?? "root" };
  return deliveredAs(file.bytes, JSON.stringify({ name, path: file.path, mode, owner, group }));
}

/** The same value for all replicas of a unit: what is made of it is made once. */
const deliveredAs = remembered((bytes: Uint8Array, as: string): DeliveredFile => {
  const about = JSON.parse(as) as Omit<DeliveredFile, "text" | "encoding">;
  return { ...about, ...textOf(bytes, "") };
});

/** As text where it is one, for people who compare two versions. NUL is in no text that they would want to see. */
const textOf = remembered((bytes: Uint8Array): Pick<SpecFile, "text"> & Pick<Delivery, "encoding"> => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes("\0")) return { text };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  let latin1 = "";
  for (let at = 0; at < bytes.length; at += CHUNK) latin1 += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return { text: btoa(latin1), encoding: "base64" };
});

/** Arguments of one call. */
const CHUNK = 8192;
