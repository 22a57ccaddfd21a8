import { etcdWorld } from "./etcd-world.ts";
import { registryContract } from "./registry.contract.ts";

registryContract("etcd 3.4", () => etcdWorld("3.4"));
