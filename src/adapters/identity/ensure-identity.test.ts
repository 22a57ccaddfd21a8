import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import { ensureIdentity, KEY_FILE, readIdentity } from "./ensure-identity.ts";
import { NodeIdentity } from "./node-identity.ts";

let root = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "fleet-identity-"));
});
after(() => rm(root, { recursive: true }));

const rejects = (promise: Promise<unknown>, code: string, words: RegExp) =>
  assert.rejects(promise, (error: Error & { code?: string }) => {
    assert.deepEqual([error.name, error.code], ["OperationError", code]);
    assert.match(error.message, words);
    return true;
  });

test("the first call makes a key for its owner alone, every later one reads it", async () => {
  const folder = join(root, "state", "identity");
  assert.equal(await readIdentity(folder), null);
  const made = await ensureIdentity(folder);
  assert.equal((await stat(join(folder, KEY_FILE))).mode & 0o777, 0o600);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(folder), [KEY_FILE]);
  assert.equal((await ensureIdentity(folder)).key, made.key);
  assert.equal((await readIdentity(folder))?.key, made.key);
  const pem = await readFile(join(folder, KEY_FILE), "utf8");
  assert.equal(new NodeIdentity(createPrivateKey(pem)).key, made.key);
});

test("of many who make it at once all have the same one", async () => {
  const folder = join(root, "race");
  const identities = await Promise.all(Array.from({ length: 20 }, () => ensureIdentity(folder)));
  assert.equal(new Set(identities.map(({ key }) => key)).size, 1);
  assert.deepEqual(await readdir(folder), [KEY_FILE]);
});

test("a key that others could have read is refused, and stays as it is", async () => {
  const folder = join(root, "exposed");
  await ensureIdentity(folder);
  const path = join(folder, KEY_FILE);
  const before = await readFile(path, "utf8");
  for (const [mode, shown] of [
    [0o644, "0644"],
    [0o640, "0640"],
    [0o602, "0602"],
  ] as const) {
    await chmod(path, mode);
    await rejects(ensureIdentity(folder), "key-exposed", new RegExp(`has mode ${shown}`));
    await rejects(readIdentity(folder), "key-exposed", /could have read/);
  }
  assert.equal(await readFile(path, "utf8"), before);
  await chmod(path, 0o400);
  await ensureIdentity(folder);
});

test("what is no such key is refused by name, and never replaced", async () => {
  const pem = (key: { export(options: { type: "pkcs8"; format: "pem" }): string | Buffer }) =>
    key.export({ type: "pkcs8", format: "pem" }).toString();
  const cases: readonly (readonly [what: string, text: string])[] = [
    ["nothing", ""],
    ["half a key", pem(generateKeyPairSync("ed25519").privateKey).slice(0, 60)],
    ["a key of another kind", pem(generateKeyPairSync("x25519").privateKey)],
    ["far too much", "x".repeat(5000)],
  ];
  for (const [what, text] of cases) {
    const folder = join(root, what);
    await mkdir(folder);
    await writeFile(join(folder, KEY_FILE), text, { mode: 0o600 });
    await rejects(ensureIdentity(folder), "key-malformed", /key\.pem/);
    assert.equal(await readFile(join(folder, KEY_FILE), "utf8"), text, what);
  }
  const folder = join(root, "link");
  await mkdir(folder);
  await symlink("/etc/hostname", join(folder, KEY_FILE));
  await rejects(ensureIdentity(folder), "key-malformed", /symbolic link/);
});

test("a folder that cannot be made is said with its path", async () => {
  await writeFile(join(root, "file"), "");
  await assert.rejects(
    ensureIdentity(join(root, "file", "identity")),
    /cannot (read|write) .*file\/identity\/key\.pem/,
  );
});

test("the private key is in nothing that is printed", async () => {
  const identity = await ensureIdentity(join(root, "printed"));
  const secret = identity.privatePem().split("\n")[1]!;
  const shown = inspect(identity, { depth: 10, showHidden: true }) + JSON.stringify(identity) + String(identity);
  assert.ok(shown.includes(identity.key));
  assert.ok(!shown.includes(secret) && !shown.includes("PRIVATE"));
});
