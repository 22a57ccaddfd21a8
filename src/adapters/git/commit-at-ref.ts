import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { CommitId } from "../../domain/names.ts";
import { CommitReader } from "./commit-reader.ts";
import { initMirror, type MirrorTransport } from "./mirror-transport.ts";

/** The commit object behind a ref of that remote, fetched into a folder that is gone again; null where there is no such ref, or no commit. */
export async function commitAtRef(
  transport: MirrorTransport,
  remote: string,
  ref: string,
  above: string,
): Promise<Uint8Array | null> {
  const found = await transport.oidAt(remote, ref);
  if (found === null) return null;
  const scratch = mkdtempSync(join(above, "clone-ref-"));
  try {
    initMirror(scratch);
    const oid = await transport.transfer(scratch, remote, 1, null, ref);
    const reader = new CommitReader(scratch);
    try {
      return reader.peel(oid) === oid ? reader.raw(oid as CommitId) : null;
    } finally {
      reader.close();
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
