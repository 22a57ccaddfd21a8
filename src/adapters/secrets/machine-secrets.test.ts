import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { parseNodeKey } from "../../domain/identity/node-key.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { encryptSecret } from "./age-files.ts";
import { machineSecrets } from "./machine-secrets.ts";

test("a machine reads by its key once it has one, and values get a folder that is its owner's alone", async (t) => {
  const run = mkdtempSync(join(tmpdir(), "fleet-secrets-"));
  t.after(() => rmSync(run, { recursive: true }));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = parseNodeKey(`ed25519:${publicKey.export({ format: "jwk" }).x}`)!;
  const text = await encryptSecret(Buffer.from("value"), { machines: [key], people: [] }, "v");
  let own: { privateKey: typeof privateKey; key: typeof key } | null = null;
  const secrets = machineSecrets(async () => own, join(run, "fleet/secrets"));
  await assert.rejects(
    secrets.read(text),
    (error) => error instanceof OperationError && error.code === "secret-unreadable",
  );
  own = { privateKey, key };
  assert.equal(Buffer.from(await secrets.read(text)).toString(), "value");
  assert.equal(statSync(join(run, "fleet/secrets")).mode & 0o777, 0o700);
  assert.equal(statSync(join(run, "fleet")).mode & 0o755, 0o755);
});
