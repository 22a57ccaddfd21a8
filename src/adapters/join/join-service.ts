import { Metadata, type ServerUnaryCall, type ServiceError, type sendUnaryData, status } from "@grpc/grpc-js";
import {
  decodeEnrolRequest,
  decodeHelloRequest,
  encodeJoinMessage,
  JOIN_MESSAGE_BYTES_MAX,
} from "../../codec/join-message.ts";
import type { NodeKey } from "../../domain/identity/node-key.ts";
import type { EnrolAnswer, EnrolRequest, HelloAnswer, HelloRequest, LeaveAnswer } from "../../domain/join/join-talk.ts";
import type { MachineId } from "../../domain/names.ts";
import { err, type Log } from "../../ports/log.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { originOf } from "../identity/origin-of.ts";

/** What an engine has answers from: `JoinDesk`. */
export interface Desk {
  hello(caller: JoinPeer, request: HelloRequest): Promise<HelloAnswer>;
  enrol(caller: JoinPeer, request: EnrolRequest): Promise<EnrolAnswer>;
  leave(machine: MachineId): Promise<LeaveAnswer>;
}

/** Who is at the other end of a connection. */
export interface JoinPeer {
  readonly machine: MachineId;
  readonly key: NodeKey;
  readonly address: string;
}

type Call = ServerUnaryCall<string, string>;

/**
 * `fleet.Join` on one connection. `isKnown`: its peer was accepted; of a stranger it answers only how to join. The code of a refusal goes
 * before its first colon, as `OperationError` has it.
 */
export function joinService(desk: Desk, peer: JoinPeer, isKnown: boolean, log: Log) {
  const caller = { ...peer, address: originOf(peer.address) };
  return {
    Hello: unary(log, (text) => {
      const request = decodeHelloRequest(text);
      if (request === null) throw badRequest("Hello");
      return desk.hello(caller, request);
    }),
    Enrol: unary(log, (text) => {
      const request = decodeEnrolRequest(text);
      if (request === null) throw badRequest("Enrol");
      return desk.enrol(caller, request);
    }),
    Leave: unary(log, () => {
      if (isKnown) return desk.leave(peer.machine);
      throw new OperationError("unlisted-key", "only a machine that is in can leave");
    }),
  };
}

function unary(log: Log, run: (text: string) => Promise<HelloAnswer | EnrolAnswer | LeaveAnswer>) {
  return (call: Call, answer: sendUnaryData<string>): void => {
    // What throws rejects, too.
    Promise.resolve(call.request)
      .then((text) => {
        if (text.length > JOIN_MESSAGE_BYTES_MAX) throw badRequest("too long");
        return run(text);
      })
      .then(
        (message) => answer(null, encodeJoinMessage(message)),
        (error: unknown) => answer(refusal(error, log)),
      );
  };
}

function badRequest(what: string): OperationError {
  return new OperationError("bad-request", `${what}: no request this version knows`);
}

function refusal(error: unknown, log: Log): Partial<ServiceError> & { metadata: Metadata } {
  const metadata = new Metadata();
  if (error instanceof OperationError) {
    if (error.next !== undefined) metadata.set("fleet-next-bin", Buffer.from(error.next));
    return { code: status.FAILED_PRECONDITION, details: `${error.code}: ${error.message}`, metadata };
  }
  log(
    err(`a call of fleet.Join failed by a mistake of fleet: ${error instanceof Error ? error.stack : String(error)}`),
  );
  return { code: status.INTERNAL, details: "the engine made a mistake; its log says which", metadata };
}
