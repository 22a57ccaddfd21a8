import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedRegistry } from "../../src/adapters/embedded/embedded-registry-server.ts";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { compactEtcd } from "./etcd-process.ts";
import { registryContract } from "./registry.contract.ts";

registryContract("embedded over a unix socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-registry-"));
  const address = `unix:${join(folder, "registry.sock")}`;
  const server = await startEmbeddedRegistry({ dataDir: join(folder, "data"), listen: [address] });
  return {
    connect: () => openRegistry(address, { clock: systemClock }),
    compact: (revision) => compactEtcd(address, revision),
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
});
