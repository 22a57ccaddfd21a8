import type { Log } from "../../ports/log.ts";
import type { Registry, RegistryDescription } from "../../ports/registry.ts";
import { Coalesced } from "./coalesced.ts";
import { headerOf, type PeerLoad, type UnaryHandler, unary } from "./front-peer.ts";
import type { RootMirror } from "./root-mirror.ts";

export interface FrontCluster {
  readonly Status: UnaryHandler<"StatusRequest", "StatusResponse">;
  readonly MemberList: UnaryHandler<"MemberListRequest", "MemberListResponse">;
}

/** What stands behind the front, as the engine hears it: for any peer, because it says nothing of the cluster's machines. */
export class FrontDescription {
  readonly #mirror: RootMirror;
  readonly #description: Coalesced<RegistryDescription>;
  readonly #log: Log;

  constructor(registry: Registry, mirror: RootMirror, log: Log) {
    this.#mirror = mirror;
    this.#log = log;
    this.#description = new Coalesced(() => registry.describe());
  }

  service(load: PeerLoad): FrontCluster {
    return {
      Status: unary(load, this.#log, async () => {
        const { version, revision, alarms = [], storeBytes } = await this.#description.ask();
        const size = storeBytes === undefined ? {} : { dbSize: String(storeBytes), dbSizeInUse: String(storeBytes) };
        return { header: headerOf(this.#mirror, revision), version, errors: [...alarms], leader: "1", ...size };
      }),
      MemberList: unary(load, this.#log, async () => {
        const { members, revision } = await this.#description.ask();
        const one = (_: unknown, index: number) => ({ ID: String(index + 1) });
        return { header: headerOf(this.#mirror, revision), members: Array.from({ length: members }, one) };
      }),
    };
  }
}
