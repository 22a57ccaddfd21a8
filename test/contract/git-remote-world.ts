import fs, { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openMirrorGitSource } from "../../src/adapters/git/mirror-git-source.ts";
import { MIRROR_LIMITS, type MirrorLimits } from "../../src/adapters/git/mirror-transport.ts";
import { type GitHttpServer, serveGitRepository } from "./git-http-server.ts";
import { makeTestRepository, type TestRepository } from "./git-repository.ts";

/** A repository, git's own server of it, and a folder for mirrors of it. */
export interface Remote {
  readonly repository: TestRepository;
  readonly server: GitHttpServer;
  readonly folder: string;
  open(limits?: Partial<MirrorLimits>, branch?: string): ReturnType<typeof openMirrorGitSource>;
}

/** A test in such a world of its own. */
export function withRemote(sentence: string, run: (remote: Remote) => Promise<void>): void {
  test(sentence, async () => {
    const repository = makeTestRepository();
    const server = await serveGitRepository(join(repository.path, ".git"));
    const folder = mkdtempSync(join(tmpdir(), "fleet-mirror-"));
    const opened: { close(): Promise<void> }[] = [];
    try {
      await run({
        repository,
        server,
        folder,
        async open(limits = {}, branch = "main") {
          const source = await openMirrorGitSource({
            url: server.url,
            branch,
            folder,
            limits: { ...MIRROR_LIMITS, ...limits },
          });
          opened.push(source);
          return source;
        },
      });
    } finally {
      for (const source of opened) await source.close();
      await server.close();
      rmSync(folder, { recursive: true });
      repository.remove();
    }
  });
}

/** Text that does not compress, so that a pack of it has about its size. */
export const noise = (bytes: number, seed: number) => {
  let state = seed;
  return Buffer.from(
    Array.from({ length: bytes }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 24;
    }),
  );
};

/** All of each pack but its head and its checksum. */
export function damagePacks(gitFolder: string): void {
  const folder = join(gitFolder, "objects", "pack");
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".pack"))) {
    const path = join(folder, name);
    fs.chmodSync(path, 0o644);
    const bytes = fs.readFileSync(path);
    bytes.fill(0x55, 12, bytes.length - 20);
    const file = fs.openSync(path, "r+");
    fs.writeSync(file, bytes);
    fs.closeSync(file);
  }
}
