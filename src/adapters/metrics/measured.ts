import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";

/**
 * The same port, some calls of which are timed: `calls` has the name each is told by. `tell` hears how long it took and the code it failed
 * with, or null.
 */
export function measured<Port extends object>(
  port: Port,
  calls: Readonly<Partial<Record<keyof Port, string>>>,
  clock: Clock,
  tell: (call: string, seconds: number, code: string | null) => void,
): Port {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      const call = calls[name as keyof Port];
      if (call === undefined) return member.bind(target);
      return (...words: unknown[]): unknown => {
        const sentMs = clock.monotonicMs();
        const answer: unknown = member.apply(target, words);
        const told = (code: string | null) => tell(call, (clock.monotonicMs() - sentMs) / 1_000, code);
        // Whoever called hears of a rejection; here it is only counted.
        if (answer instanceof Promise)
          void answer.then(
            () => told(null),
            (error) => told(codeOf(error)),
          );
        return answer;
      };
    },
  });
}

/** Of errors that are no OperationError: a mistake of ours. */
const DEFECT = "defect";

/** The closed set of an adapter's codes, so that labels stay few. */
export function codeOf(error: unknown): string {
  return error instanceof OperationError ? error.code : DEFECT;
}
