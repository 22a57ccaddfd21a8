import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startEmbeddedRegistry } from "../../src/adapters/embedded/embedded-registry-server.ts";
import { etcdProbes } from "../../src/adapters/etcd/etcd-probes.ts";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { parseRegistryAddress } from "../../src/adapters/etcd/registry-address.ts";
import type { TlsFiles } from "../../src/adapters/etcd/tls-files.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { AreaReport } from "../../src/domain/doctor/finding.ts";
import { checkRegistry } from "../../src/usecases/check-registry.ts";
import { TestAuthority } from "./certificates.ts";
import { EtcdProcess, freePort } from "./etcd-process.ts";

/** What `fleet registry check` says of that registry. */
async function check(address: string, tls: TlsFiles = {}): Promise<AreaReport[]> {
  const registry = await openRegistry(address, { clock: systemClock, tls });
  const probes = etcdProbes(parseRegistryAddress(address), tls, systemClock);
  try {
    return await checkRegistry({ address, registry }, probes, systemClock);
  } finally {
    probes.close();
    await registry.close();
  }
}
const codes = (areas: readonly AreaReport[]) => areas.flatMap(({ findings }) => findings.map(({ code }) => code));
const saw = (areas: readonly AreaReport[], name: string) => areas.find(({ area }) => area === name)?.saw;

describe("fleet registry check on a real etcd", { concurrency: false }, () => {
  const authority = new TestAuthority();
  let etcd: EtcdProcess;
  let port: number;
  before(async () => {
    port = await freePort();
    etcd = await EtcdProcess.start("3.5", ["--quota-backend-bytes", String(64 * 1024 ** 2)], {
      port,
      ...authority.issue("server"),
    });
  });
  after(async () => {
    await etcd?.remove();
    authority.remove();
  });

  test("sees members, sizes, quota, revisions and that there are no users", async () => {
    const areas = await check(etcd.address);
    assert.deepEqual(codes(areas), ["etcd-rbac", "etcd-leases", "etcd-members"]);
    assert.match(saw(areas, "members")!, /^1 member; 1 of 1 endpoints answer$/);
    assert.match(saw(areas, "store")!, /^1 MiB on disk, 1 MiB in use, quota 64 MiB, revision \d+, compacted to 0$/);
    assert.equal(saw(areas, "access"), "reached on this machine alone, no TLS, no users");
  });

  test("sees the certificates of both sides and when they end, also one that keeps it out", async () => {
    const areas = await check(`etcds://localhost:${port}`, authority.issue("client", 30));
    assert.match(
      saw(areas, "certificates")!,
      /^3 looked at, the first to end is the \w+'s certificate of .*: (29|30) days left$/,
    );
    assert.equal(saw(areas, "access"), "reached on this machine alone, TLS, no users");
    const over = await check(`etcds://localhost:${port}`, authority.issue("late", 0));
    assert.deepEqual(codes(over), ["registry-away", "certificate-over"]);
  });

  test("sees an endpoint that is away beside one that answers", async () => {
    const areas = await check(`${etcd.address},127.0.0.1:1`);
    assert.ok(codes(areas).includes("etcd-member-away"));
    assert.match(saw(areas, "members")!, /1 of 2 endpoints answer$/);
  });
});

test("of fleet's own registry it says who may use its socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-check-"));
  const address = `unix:${join(folder, "registry.sock")}`;
  const server = await startEmbeddedRegistry({ dataDir: join(folder, "data"), listen: [address] });
  chmodSync(join(folder, "registry.sock"), 0o666);
  try {
    const areas = await check(address);
    assert.deepEqual(codes(areas), ["registry-socket-open"]);
    assert.equal(saw(areas, "access"), "reached on this machine alone, a socket of mode 0666");
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
});
