import { compareText, type UnitName } from "../names.ts";
import type { Task, TaskReason } from "./task.ts";

/** The tasks of a pass as they are decided on, at most one of each kind for a unit. */
export class Acts {
  readonly #tasks = new Map<UnitTask["kind"], Map<UnitName, TaskReason>>();
  readonly #reload = new Set<UnitName>();

  add(kind: UnitTask["kind"], unit: UnitName, reason: TaskReason): void {
    const tasks = this.#tasks.get(kind) ?? new Map<UnitName, TaskReason>();
    this.#tasks.set(kind, tasks.set(unit, reason));
  }

  drop(kind: UnitTask["kind"], unit: UnitName): void {
    this.#tasks.get(kind)?.delete(unit);
  }

  has(kind: UnitTask["kind"], unit: UnitName): boolean {
    return this.#tasks.get(kind)?.has(unit) ?? false;
  }

  reasonOf(kind: UnitTask["kind"], unit: UnitName): TaskReason | null {
    return this.#tasks.get(kind)?.get(unit) ?? null;
  }

  unitsOf(kind: UnitTask["kind"]): UnitName[] {
    return [...(this.#tasks.get(kind)?.keys() ?? [])];
  }

  reload(unit: UnitName): void {
    this.#reload.add(unit);
  }

  /** Units that are not wanted come first, by name; the wanted ones start as `startOrder` says and stop the other way round. */
  inOrder(startOrder: readonly UnitName[]): Task[] {
    const position = new Map(startOrder.map((unit, index) => [unit, index + 1]));
    const of = (kind: UnitTask["kind"], direction: 1 | -1 = 1): UnitTask[] =>
      [...(this.#tasks.get(kind) ?? [])]
        .map(([unit, reason]) => ({ kind, unit, reason }))
        .sort((a, b) => {
          const [first, second] = [position.get(a.unit) ?? 0, position.get(b.unit) ?? 0];
          if (first === 0 || second === 0) return Math.sign(first) - Math.sign(second) || compareText(a.unit, b.unit);
          return direction * (first - second);
        });
    const reload: Task[] =
      this.#reload.size === 0
        ? []
        : [{ kind: "reload", units: [...this.#reload].sort(), reason: { code: "loaded-is-old" } }];
    return [
      ...of("stop", -1),
      ...of("remove"),
      ...of("write"),
      ...of("set-aside"),
      ...of("takeover"),
      ...of("reset-failed"),
      ...reload,
      ...of("reload-unit"),
      ...of("start"),
      ...of("adopt"),
    ];
  }
}

type UnitTask = Exclude<Task, { readonly kind: "reload" }>;
