import type { NodeKey } from "../domain/identity/node-key.ts";
import type { EnrolAnswer, EnrolRequest, HelloAnswer, HelloRequest, LeaveAnswer } from "../domain/join/join-talk.ts";
import type { MachineId } from "../domain/names.ts";

/** One engine, dialled by a machine that joins or leaves. Rejects with OperationError (`engine-…`, or the code of a refusal). */
export interface EngineDoor {
  /** The key it has proved to have, and the machine it says it runs on. */
  readonly engineKey: NodeKey;
  readonly machine: MachineId;
  hello(request: HelloRequest): Promise<HelloAnswer>;
  enrol(request: EnrolRequest): Promise<EnrolAnswer>;
  /** Only of a machine that is known there, whose agent has stopped. */
  leave(): Promise<LeaveAnswer>;
  close(): void;
}
