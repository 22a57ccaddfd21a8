import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { UnitName } from "../../src/domain/names.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import type { UnitManager } from "../../src/ports/unit-manager.ts";

/** A machine in which nothing but systemd's own units is loaded. */
export interface UnitWorld {
  readonly manager: UnitManager;
  /** A file in /run/systemd/system, by its path in there. */
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Is there a process of exactly this command line? */
  runs(command: string): Promise<boolean>;
  /** The unit's program dies by SIGKILL. */
  kill(name: UnitName): Promise<void>;
  close(): Promise<void>;
}

/** Real systemd settles after the job's end: collection, and the death of what was started, take it a moment. */
const SETTLE_MS = 10_000;

export interface Looking {
  /** Waits until `list` shows it as "load active sub", or not at all (null). */
  becomes(unit: UnitName, state: string | null): Promise<void>;
  /** The call rejects with this code, naming that unit. */
  refuses(code: string, unit: string, call: Promise<unknown>): Promise<void>;
}

export function looking({ manager }: UnitWorld): Looking {
  const stateOf = async (unit: UnitName): Promise<string | null> => {
    const [found] = await manager.list([unit]);
    return found === undefined ? null : `${found.load} ${found.active} ${found.sub}`;
  };
  return {
    async becomes(unit, state) {
      let seen: string | null = null;
      await until(
        async () => {
          seen = await stateOf(unit);
          return seen === state;
        },
        () => `${unit} to become ${state}, seen last: ${seen}`,
      );
    },
    async refuses(code, unit, call) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof OperationError, String(error));
        assert.equal(error.code, code, error.message);
        assert.ok(error.message.includes(unit), error.message);
        return true;
      });
    },
  };
}

/** A started process is systemd's own until it has executed its program, so what runs is waited for too. */
export async function until(condition: () => Promise<boolean>, what: string | (() => string)): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`waited for ${typeof what === "string" ? what : what()}`);
    await sleep(5);
  }
}
