import type { Release } from "../domain/cluster/cluster-snapshot.ts";
import { OperationError } from "../ports/operation-error.ts";

/**
 * One driver: who makes the next release is said by the commit of the one in force, so that two never take turns. The first release has
 * nobody before it and is always made by `fleet apply`. Throws `other-driver`.
 */
export function refuseOtherDriver(release: Release | null, asks: "apply" | "sync"): void {
  const driver = release?.driver ?? "apply";
  if (asks === "sync" ? driver !== "apply" : driver === "apply") return;
  const seq = release?.seq ?? 0;
  if (driver === "apply") {
    throw new OperationError("other-driver", `releases of this cluster are made by fleet apply, says release ${seq}`, {
      next: "say so in the manifest and apply that: release: { by: sync }",
    });
  }
  const [who, next] =
    driver === "sync"
      ? ["the engine, which follows the branch", "push the commit and wait, or hurry it: fleet sync now"]
      : [
          "the engine, once somebody approved what it found on the branch",
          "push the commit, then fleet approve; fleet status says what waits",
        ];
  throw new OperationError("other-driver", `releases of this cluster are made by ${who}; nothing was changed`, {
    next,
  });
}
