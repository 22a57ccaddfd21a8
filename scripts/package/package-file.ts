/** One entry of a package: its path from the root, without a slash in front, and what is there. Folders are made of the paths. */
export type PackageFile =
  | { readonly path: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly path: string; readonly target: string };

/** A file anybody may read. */
export function plainFile(path: string, data: string | Uint8Array): PackageFile {
  return { path, mode: 0o644, data: bytesOf(data) };
}

/** A program anybody may run. */
export function programFile(path: string, data: string | Uint8Array): PackageFile {
  return { path, mode: 0o755, data: bytesOf(data) };
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? Buffer.from(data) : data;
}
