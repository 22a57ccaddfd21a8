import { join } from "node:path";
import { systemClock } from "../adapters/system-clock.ts";
import { type NodeKey, parseNodeKey } from "../domain/identity/node-key.ts";
import type { HelloRequest } from "../domain/join/join-talk.ts";
import type { EngineDoor } from "../ports/engine-door.ts";
import { OperationError } from "../ports/operation-error.ts";
import { joinCluster, type ShownEngine } from "../usecases/join-cluster.ts";
import { knownCluster, refuseJoinedElsewhere } from "../usecases/known-cluster.ts";
import type { JoinProgress } from "../usecases/wait-joined.ts";
import { askYes } from "./ask-yes.ts";
import { type Joining, metadataOption, writeConf } from "./joining.ts";
import { engineKeyText } from "./views/engine-key-text.ts";
import { type JoinedMachine, refusalOf } from "./views/join-text.ts";

export interface EngineJoinFlags {
  readonly token?: string | undefined;
  readonly "engine-key"?: readonly string[] | undefined;
}

export interface EngineJoin {
  readonly joined: JoinedMachine;
  readonly unreachable: readonly { readonly engine: string; readonly problem: OperationError }[];
  /** How far it has come by now. */
  look(): Promise<JoinProgress>;
}

/** Joins through engines: pins them, and tells the daemons to dial them. */
export async function joinEngines(
  address: string,
  flags: EngineJoinFlags,
  joining: Joining,
  say: (text: string) => void,
): Promise<EngineJoin> {
  const [{ endpointText, parseHubAddress }, { ensureIdentity }, { IdentityKeeper }, { openDoor }] = await Promise.all([
    import("../adapters/hub/hub-address.ts"),
    import("../adapters/identity/ensure-identity.ts"),
    import("../adapters/identity/identity-keeper.ts"),
    import("../adapters/join/open-door.ts"),
  ]);
  const endpoints = new Map(parseHubAddress(address).engines.map((one) => [endpointText(one), one] as const));
  const { files, stateFolder, machine, bootId, isNamed } = joining;
  const identity = await ensureIdentity(join(stateFolder, "identity"));
  // Of no cluster at first: which one it is is what it asks. One that an engine knows by its cluster is not told of as a stranger.
  let clusterId = (await knownCluster(files, stateFolder))?.clusterId ?? null;
  const open = (engine: string): Promise<EngineDoor> => {
    const keeper = new IdentityKeeper(identity, { clusterId, role: "machine", machine }, systemClock);
    const { host, port } = endpoints.get(engine)!;
    return openDoor({ host, port, identity: keeper, nowMs: systemClock.wallMs }, new AbortController().signal);
  };
  const hello: HelloRequest = { name: joining.name, isNamed, bootId };
  const engines = [...endpoints.keys()];
  const request = { engines, engineKeys: (flags["engine-key"] ?? []).map(readKey), token: flags.token ?? null, hello };
  const trust = async (shown: readonly ShownEngine[]) => {
    say(engineKeyText(shown));
    if (!process.stdin.isTTY) throw nobodyToAsk(shown, engines);
    return askYes("Trust this key?");
  };
  const { record, standing, unreachable, enrolled } = await joinCluster(
    request,
    { files, stateFolder, open, trust },
    refusalOf,
  );
  clusterId = record.clusterId;
  const name = enrolled?.name ?? joining.name;
  const metadata = { ...joining.metadata, ...enrolled?.metadata };
  await writeConf(joining, {
    registry: `hub://${engines.join(",")}`,
    cluster: record.cluster,
    branch: record.branch,
    manifest: record.manifest,
    name,
    metadata: metadataOption(metadata),
  });
  const joined: JoinedMachine = {
    ...{ name, machine, key: identity.key, engineKey: null, metadata, ...record, standing },
    isListed: standing.code === "listed",
  };
  const look = async (): Promise<JoinProgress> => {
    const { hello: now } = await ask(engines, open, { name, isNamed: true, bootId }, new Set(record.engineKeys));
    await refuseJoinedElsewhere(files, stateFolder, { clusterId: now.clusterId, name: now.cluster });
    return { standing: now.standing, acceptedSeq: now.acceptedSeq };
  };
  return { joined, unreachable, look };
}

/** The first that answers with a key that is pinned. */
async function ask(
  engines: readonly string[],
  open: (engine: string) => Promise<EngineDoor>,
  request: HelloRequest,
  keys: ReadonlySet<NodeKey>,
) {
  let problem = new OperationError("engine-unreachable", "no engine answers");
  for (const engine of engines) {
    try {
      const door = await open(engine);
      try {
        if (keys.has(door.engineKey)) return { hello: await door.hello(request) };
        problem = new OperationError("engine-key-differs", `the engine at ${engine} has another key than it had`);
      } finally {
        door.close();
      }
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      problem = error;
    }
  }
  throw problem;
}

function readKey(text: string): NodeKey {
  const key = parseNodeKey(text);
  if (key !== null) return key;
  throw new OperationError("bad-key", `--engine-key ${text} is no key`, {
    next: "ed25519: and 43 characters, as fleet prints it",
  });
}

function nobodyToAsk(shown: readonly ShownEngine[], engines: readonly string[]): OperationError {
  const keys = shown.map(({ key }) => `--engine-key ${key}`).join(" ");
  return new OperationError("not-approved", "nobody is there to say whether these are the right engines", {
    next: `compare with what their own machines say, then: fleet join ${engines.join(",")} ${keys}`,
  });
}
