import type { Duplex } from "node:stream";
import { type ServiceDefinition, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import {
  CLUSTER_METHODS,
  KV_METHODS,
  LEASE_METHODS,
  MAINTENANCE_METHODS,
  WATCH_METHODS,
} from "../etcd-proto/etcd-proto.ts";
import { FRONT_REFUSALS } from "../etcd-proto/front-refusals.ts";
import { OBJECTS_METHODS } from "../objects-proto/objects-proto.ts";
import { REACH_METHODS } from "../reach-proto/reach-proto.ts";
import { type FrontService, serveConnection } from "./serve-connection.ts";

/** What is there for machines that are known, each call of it. */
const CLOSED: readonly ServiceDefinition[] = [
  KV_METHODS,
  WATCH_METHODS,
  LEASE_METHODS,
  MAINTENANCE_METHODS,
  CLUSTER_METHODS,
  OBJECTS_METHODS,
  REACH_METHODS,
];

/** Of somebody whose key is no machine's: `open` alone answers. `why`: for people, as in "its key is listed for no machine". */
export function serveStranger(socket: Duplex, open: readonly FrontService[], why: string): void {
  const error = { code: status.UNAUTHENTICATED, details: `${FRONT_REFUSALS.notListed}: ${why}` };
  const refuse = (call: { emit(event: "error", error: object): unknown }, answer?: (error: object) => void) => {
    if (answer === undefined) call.emit("error", error);
    else answer(error);
  };
  const closed = CLOSED.map((methods): FrontService => {
    const handlers = Object.fromEntries(Object.keys(methods).map((name) => [name, refuse]));
    return { methods, handlers: handlers as UntypedServiceImplementation };
  });
  serveConnection(socket, [...open, ...closed]);
}
