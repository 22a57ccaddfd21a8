import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { prepareFleet } from "./fleet-process.ts";
import { PretendCluster } from "./pretend-cluster.ts";

/** The repository of a cluster `shop` with one unit, `web.service`, and that cluster with one machine. */
export interface OneWebUnit {
  readonly repository: TestRepository;
  readonly cluster: PretendCluster;
  /** For `fleet`: in that repository, with that registry. */
  readonly options: { readonly cwd: string; readonly registry: string };
  end(): Promise<void>;
}

export async function oneWebUnit(machine: string): Promise<OneWebUnit> {
  await prepareFleet();
  const cluster = await PretendCluster.start();
  const repository = makeTestRepository();
  repository.commit({
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n",
    "units/web.service": "[Service]\nExecStart=/bin/true\n",
  });
  await cluster.join("shop", machine);
  const options = { cwd: repository.path, registry: cluster.address };
  return {
    ...{ repository, cluster, options },
    async end() {
      await cluster.stop();
      repository.remove();
    },
  };
}
