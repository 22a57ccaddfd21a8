import type { ServiceError } from "@grpc/grpc-js";
import { OperationError } from "../../ports/operation-error.ts";
import type { LeaseId } from "../../ports/registry.ts";
import { LEASE_METHODS } from "../etcd-proto/etcd-proto.ts";
import { CALL_DEADLINE_MS, type EtcdConnection, leaderRequired, shouldDistrust } from "./etcd-connection.ts";

/**
 * Renews a lease by a stream of one question and one answer: etcd has no unary call for it. False where the lease is gone.
 * Rejects with grpc-js's ServiceError.
 */
export async function keepAliveOnce(connection: EtcdConnection, lease: LeaseId): Promise<boolean> {
  const client = await connection.client();
  const { path, requestSerialize, responseDeserialize } = LEASE_METHODS.LeaseKeepAlive;
  const options = { deadline: Date.now() + CALL_DEADLINE_MS };
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, leaderRequired(), options);
  return new Promise((resolve, reject) => {
    let answered = false;
    call.on("data", ({ TTL }) => {
      answered = true;
      resolve(TTL !== "0");
      call.end();
    });
    call.on("error", (error: ServiceError) => {
      // After the answer only the stream's own end can fail, which is nobody's loss.
      if (!answered && shouldDistrust(error)) connection.distrust(client);
      reject(error);
    });
    call.on("end", () => reject(new OperationError("registry-unreachable", "the keep-alive ended without an answer")));
    call.write({ ID: lease });
  });
}
