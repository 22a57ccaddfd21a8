/** What a machine offers or a unit asks for. Whole numbers, 0 or more; sums of thousands of units stay exact. */
export interface Resources {
  /** Thousandths of a core. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
}

export type Resource = "cpu" | "memory";
