import type { Composition } from "./composition.ts";

/** Only commits count; whoever has edited and not committed is told what is used instead. */
export async function sayDirty(
  composition: Composition,
  revision: string,
  say: (line: string) => void,
  instead: string,
): Promise<void> {
  if (revision !== "HEAD") return;
  const repository = await composition.repository();
  if (await repository.isDirty([""])) say(`the working tree has changes that no commit holds: ${instead}`);
}
