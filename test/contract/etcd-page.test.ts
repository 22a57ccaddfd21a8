/** What docs/etcd.md tells people to type. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { REGISTRY_ROLES } from "../../src/codec/registry-roles.ts";
import { ETCD_BUGS, type EtcdBugKind, soundReleases } from "../../src/domain/doctor/etcd-bugs.ts";

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, "../../docs/etcd.md"), "utf8");
const blocks = [...page.matchAll(/^```sh\n([^`]*)^```/gm)].map(([, text]) => text!);

test("its certificates are an authority's and an engine's, signed by it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-page-"));
  try {
    await run("sh", ["-ec", blocks.find((text) => text.startsWith("openssl"))!], { cwd: folder });
    const [authority, engine] = ["ca.pem", "engine.pem"].map(
      (name) => new X509Certificate(readFileSync(join(folder, name))),
    );
    assert.equal(engine!.subject, "CN=fleet-prod-engine");
    assert.ok(engine!.verify(authority!.publicKey));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

for (const version of ["etcd-3.4", "etcd-3.5"] as const) {
  test(`${version} has every option it names`, async () => {
    const { stdout } = await run(await thirdPartyBinary(version), ["--help"]);
    const options = new Set(
      blocks.filter((text) => text.startsWith("etcd ")).flatMap((text) => text.match(/--[a-z-]+/g)!),
    );
    assert.ok(options.size > 5);
    for (const option of options) assert.match(stdout, new RegExp(`^\\s+${option}\\b`, "m"));
  });
}

test("etcdctl has every command it names", async () => {
  const etcdctl = await thirdPartyBinary("etcdctl");
  const named = new Set(
    [...page.matchAll(/etcdctl ((?:(?<= )[a-z]+(?:-[a-z]+)* ?)+)/g)].map(([, words]) => words!.trim()),
  );
  assert.ok(named.size > 8);
  for (const words of named) {
    const { stdout } = await run(etcdctl, [...words.split(" "), "--help"], { env: { ETCDCTL_API: "3" } });
    assert.match(stdout, new RegExp(`^USAGE:\\s+etcdctl ${words}\\b`, "m"), words);
  }
});

test("it names every role, and the releases without the bugs that are known", () => {
  for (const role of REGISTRY_ROLES) assert.match(page, new RegExp(`^\\| \`fleet-prod-${role}`, "m"));
  const sound = (kind: EtcdBugKind) => soundReleases(ETCD_BUGS.filter((bug) => bug.kind === kind));
  for (const release of [...sound("etcd-rbac"), ...sound("etcd-leases")]) assert.ok(page.includes(release), release);
});
