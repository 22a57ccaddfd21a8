/** How an engine is, for people. */
export interface EngineCondition {
  /** The term it leads; null while it follows. */
  readonly term: number | null;
  /** The release it places, while it leads. */
  readonly seq: number | null;
  /** To the registry. */
  readonly connected: boolean;
}

export function engineCondition(
  { connected }: { readonly connected: boolean },
  term: { readonly leadership: { readonly term: number } } | null,
  mandate: { readonly release: { readonly seq: number } } | null,
): EngineCondition {
  return { term: term?.leadership.term ?? null, seq: mandate?.release.seq ?? null, connected };
}
