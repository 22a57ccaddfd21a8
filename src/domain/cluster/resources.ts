/** What a machine offers or a unit asks for. Whole numbers, 0 or more; sums of thousands of units stay exact. */
export interface Resources {
  /** Thousandths of a core. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
}

export type Resource = "cpu" | "memory";

/** In the order they are looked at and told. */
export const RESOURCES: readonly Resource[] = ["cpu", "memory"];

export function amountOf(resources: Resources, resource: Resource): number {
  return resource === "cpu" ? resources.cpuMilli : resources.memoryBytes;
}
