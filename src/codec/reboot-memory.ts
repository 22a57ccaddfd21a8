import type { RebootMemory } from "../domain/locks/judge-reason.ts";
import { decodeRecord, encodeRecord } from "./record.ts";

export function encodeRebootMemory({ boot, reason, left }: RebootMemory): string {
  return encodeRecord({ boot, reason, left });
}

/** Null where there is none, or nobody can read it: then a reason that was left asks once more. */
export function decodeRebootMemory(text: string | null): RebootMemory | null {
  const shape = { boot: "string", reason: "string", left: "string?" } as const;
  const decoded = decodeRecord<RebootMemory>(text ?? "", shape);
  if (decoded.kind !== "record") return null;
  const { boot, reason, left } = decoded.record;
  return { boot, reason, left };
}
