import { type ClientHttp2Session, connect } from "node:http2";
import {
  decodeEnrolAnswer,
  decodeHelloAnswer,
  encodeJoinMessage,
  JOIN_MESSAGE_BYTES_MAX,
} from "../../codec/join-message.ts";
import { judgePeer, type PeerFacts, type PeerVerdict } from "../../domain/identity/judge-peer.ts";
import type { EngineDoor } from "../../ports/engine-door.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { dialPeer } from "../identity/dial-peer.ts";
import type { IdentityKeeper } from "../identity/identity-keeper.ts";
import { JOIN_METHODS } from "../join-proto/join-proto.ts";
import { askUnary } from "./ask-unary.ts";
import { plainStream } from "./plain-stream.ts";

/** An engine answers from its mirror, or waits for its registry. */
const ANSWER_TIMEOUT_MS = 15_000;

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  readonly identity: IdentityKeeper;
  readonly nowMs: () => number;
}

/**
 * Dials an engine to ask it how to join. Whoever proves to have an ed25519 key and says that it is an engine is spoken with: whether it is the
 * one meant is for the caller to judge, by its key, before anything it says is believed. Rejects as `dialPeer`.
 */
export async function openDoor({ host, port, identity, nowMs }: DoorOptions, signal: AbortSignal): Promise<EngineDoor> {
  const judge = (facts: PeerFacts | null) => judgeAnyEngine(facts, nowMs());
  const { socket, facts, peer } = await dialPeer(host, port, identity, judge, signal, { asStranger: true });
  const session = connect("http://fleet", { createConnection: () => plainStream(socket) });
  // What goes wrong with it ends its calls, which say so.
  session.on("error", () => undefined);
  return {
    engineKey: facts.key!,
    machine: peer.machine,
    async hello(request) {
      return known(decodeHelloAnswer(await ask(session, "Hello", encodeJoinMessage(request))));
    },
    async enrol(request) {
      return known(decodeEnrolAnswer(await ask(session, "Enrol", encodeJoinMessage(request))));
    },
    async leave() {
      await ask(session, "Leave", "{}");
      return { result: "removed" };
    },
    close() {
      session.destroy();
      socket.destroy();
    },
  };
}

/** Everything but whose key it is: nobody has said that yet. */
function judgeAnyEngine(facts: PeerFacts | null, nowMs: number): PeerVerdict {
  const keys = new Map(facts?.key != null && facts.uri !== null ? [[facts.key, facts.uri.machine] as const] : []);
  return judgePeer(facts, { clusterId: null, role: "engine", keys, nowMs });
}

async function ask(session: ClientHttp2Session, name: keyof typeof JOIN_METHODS, text: string): Promise<string> {
  const { path } = JOIN_METHODS[name];
  const message = Buffer.from(text, "utf8");
  const limits = { answerBytesMax: JOIN_MESSAGE_BYTES_MAX, timeoutMs: ANSWER_TIMEOUT_MS };
  return (await askUnary(session, { path, message, ...limits })).toString("utf8");
}

function known<T>(answer: T | null): T {
  if (answer !== null) return answer;
  throw new OperationError("engine-answer", "the engine's answer is none this version of fleet knows", {
    next: "install one version of fleet on both",
  });
}
