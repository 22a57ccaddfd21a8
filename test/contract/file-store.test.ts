import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DiskFileStore } from "../../src/adapters/files/disk-file-store.ts";
import { MemoryFileStore } from "../../src/adapters/memory/memory-file-store.ts";
import { fileStoreContract } from "./file-store.contract.ts";

fileStoreContract("memory", async () => {
  const store = new MemoryFileStore();
  return {
    store,
    folder: "/var/lib/fleet",
    modeOf: (path) => store.peek(path)!.mode,
    ownerOf: (path) => `${store.peek(path)!.owner}:${store.peek(path)!.group}`,
    mask: (path) => store.mask(path),
    close: async () => undefined,
  };
});

fileStoreContract("disk", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-files-"));
  return {
    store: new DiskFileStore(),
    folder,
    modeOf: (path) => statSync(path).mode & 0o777,
    ownerOf: (path) => `${statSync(path).uid}:${statSync(path).gid}`,
    mask: (path) => {
      mkdirSync(dirname(path), { recursive: true });
      symlinkSync("/dev/null", path);
    },
    close: async () => rmSync(folder, { recursive: true }),
  };
});
