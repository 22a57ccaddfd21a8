import { etcdWorld } from "./etcd-world.ts";
import { registryContract } from "./registry.contract.ts";

registryContract("etcd 3.5", () => etcdWorld("3.5"));
