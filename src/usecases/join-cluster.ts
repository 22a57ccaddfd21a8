import { ENGINE_KEYS_FILE } from "../codec/engine-keys-record.ts";
import { encodeJoin, JOIN_FILE, type JoinRecord } from "../codec/join-record.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import type { EnrolAnswer, HelloAnswer, HelloRequest } from "../domain/join/join-talk.ts";
import type { CallerStanding } from "../domain/join/judge-caller.ts";
import { isRefused } from "../domain/join/judge-caller.ts";
import type { EnrolmentRefusal } from "../domain/join/judge-enrolment.ts";
import type { EngineDoor } from "../ports/engine-door.ts";
import type { FileStore } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";
import { EnginePins } from "./engine-pins.ts";
import { refuseJoinedElsewhere } from "./known-cluster.ts";

export interface JoinRequest {
  /** `host:port` of engines, in the order in which they are to be tried. */
  readonly engines: readonly string[];
  /** Keys that somebody has said are engines'; then no other is taken. None: whoever runs this is asked. */
  readonly engineKeys: readonly NodeKey[];
  /** Null: git is to list it. */
  readonly token: string | null;
  readonly hello: HelloRequest;
}

export interface JoinPorts {
  readonly files: FileStore;
  /** `/var/lib/fleet`. */
  readonly stateFolder: string;
  readonly open: (engine: string) => Promise<EngineDoor>;
  /** Whether these are the keys of the engines meant. Rejects where nobody is there to ask. */
  readonly trust: (shown: readonly ShownEngine[]) => Promise<boolean>;
}

export interface ShownEngine {
  readonly engine: string;
  readonly key: NodeKey;
  /** What it says it is, which nobody has to believe yet. */
  readonly cluster: string;
}

export interface JoinedCluster {
  readonly record: JoinRecord;
  readonly standing: CallerStanding;
  /** Of engines that could not be asked; they are dialled all the same from now on. */
  readonly unreachable: readonly UnreachableEngine[];
  /** What a token gave it; null: it came without one. */
  readonly enrolled: { readonly name: string; readonly metadata: Readonly<Record<string, string>> } | null;
}

export interface UnreachableEngine {
  readonly engine: string;
  readonly problem: OperationError;
}

/** What a refusal is told as, by whoever makes sentences. */
export type TellRefusal = (refusal: EnrolmentRefusal) => OperationError;

/**
 * Makes this machine one that dials these engines: their keys are trusted once and pinned, with the cluster they are of. Nothing an engine says
 * is believed, and no token shown to it, before its key is trusted. It may end anywhere; the same again does the rest. Rejects with
 * `engine-key-differs`, `engine-not-trusted`, `engines-differ`, `joined-elsewhere`, or as `tell` says of why this machine cannot come in.
 */
export async function joinCluster(request: JoinRequest, ports: JoinPorts, tell: TellRefusal): Promise<JoinedCluster> {
  const { doors, unreachable } = await openDoors(request.engines, ports);
  try {
    const met = await meet(doors, request, ports);
    const { hello, door } = met[0]!;
    refuseOthers(met);
    await refuseJoinedElsewhere(ports.files, ports.stateFolder, { clusterId: hello.clusterId, name: hello.cluster });
    const { standing, enrolled } = await comeIn(request, hello, door, tell);
    // What engines git lists is said by one that is trusted: the others need not be asked for when it is gone.
    const engineKeys = [...new Set([...met.map((one) => one.door.engineKey), ...hello.engineKeys])].sort();
    const { clusterId, cluster, branch, manifest } = hello;
    const source = hello.source === "" ? null : hello.source;
    const record = { engines: request.engines, engineKeys, clusterId, cluster, source, branch, manifest };
    const path = `${ports.stateFolder}/${JOIN_FILE}`;
    const text = encodeJoin(record);
    if ((await ports.files.read(path)) !== text) await ports.files.write(path, text, { mode: 0o600 });
    await forgetOtherEngines(met, ports);
    return { record, standing, unreachable, enrolled };
  } finally {
    for (const { door } of doors) door.close();
  }
}

interface OpenedDoor {
  readonly engine: string;
  readonly door: EngineDoor;
}

interface MetEngine extends OpenedDoor {
  readonly hello: HelloAnswer;
}

async function openDoors(engines: readonly string[], { open }: JoinPorts) {
  const tried = await Promise.all(
    engines.map(async (engine) => {
      try {
        return { engine, door: await open(engine) };
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        return { engine, problem: error };
      }
    }),
  );
  const doors = tried.filter((one): one is OpenedDoor => "door" in one);
  const unreachable = tried.filter((one): one is UnreachableEngine => "problem" in one);
  if (doors.length === 0) throw unreachable[0]!.problem;
  return { doors, unreachable };
}

/** Those whose key is trusted, with what they say. */
async function meet(doors: readonly OpenedDoor[], request: JoinRequest, ports: JoinPorts): Promise<MetEngine[]> {
  const met = await Promise.all(doors.map(async (one) => ({ ...one, hello: await one.door.hello(request.hello) })));
  const pins = new EnginePins(ports.files, ports.stateFolder);
  await pins.recall();
  if (request.engineKeys.length > 0) {
    const other = met.find(({ door }) => !request.engineKeys.includes(door.engineKey));
    if (other === undefined) return met;
    throw new OperationError(
      "engine-key-differs",
      `the engine at ${other.engine} has the key ${other.door.engineKey}, and not ${request.engineKeys.join(" or ")}`,
      { next: "if that engine was set up anew, its new key is the one git lists as engineKey" },
    );
  }
  const unknown = met.filter(({ door }) => !pins.keys.has(door.engineKey));
  if (unknown.length === 0) return met;
  const shown = unknown.map(({ engine, door, hello }) => ({ engine, key: door.engineKey, cluster: hello.cluster }));
  if (await ports.trust(shown)) return met;
  throw new OperationError("engine-not-trusted", "nothing was changed", {
    next: "the engine's machine prints its key: fleet join there, or engineKey in the manifest",
  });
}

/** What is trusted now goes before what an earlier commit listed: else a machine which that commit has cut off could not come back. */
async function forgetOtherEngines(met: readonly MetEngine[], { files, stateFolder }: JoinPorts): Promise<void> {
  const pins = new EnginePins(files, stateFolder);
  await pins.recall();
  const isListed = met.every(({ door }) => pins.keys.has(door.engineKey));
  if (!isListed) await files.remove(`${stateFolder}/${ENGINE_KEYS_FILE}`);
}

function refuseOthers(met: readonly MetEngine[]): void {
  const [first, ...others] = met;
  const other = others.find(({ hello }) => hello.clusterId !== first!.hello.clusterId);
  if (other === undefined) return;
  throw new OperationError(
    "engines-differ",
    `${first!.engine} is an engine of cluster ${first!.hello.cluster}, ${other.engine} of cluster ${other.hello.cluster}`,
    { next: "name engines of one cluster" },
  );
}

async function comeIn(
  request: JoinRequest,
  hello: HelloAnswer,
  door: EngineDoor,
  tell: TellRefusal,
): Promise<Pick<JoinedCluster, "standing" | "enrolled">> {
  const { token } = request;
  if (token === null) {
    if (isRefused(hello.standing)) throw tell(hello.standing);
    return { standing: hello.standing, enrolled: null };
  }
  const answer: EnrolAnswer = await door.enrol({ ...request.hello, token });
  if (answer.verdict === "refused") throw tell(answer.refusal);
  if (answer.verdict === "wait") {
    const seconds = Math.ceil(answer.waitMs / 1000);
    throw new OperationError("token-attempts", "too many tokens were refused", { next: `try again in ${seconds} s` });
  }
  const { name, metadata } = answer;
  const standing = hello.standing.code === "listed" ? hello.standing : ({ code: "admitted", name } as const);
  return { standing, enrolled: { name, metadata } };
}
