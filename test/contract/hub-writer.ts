/** Adds objects to the store in a folder without end, and prints each one's id once it is there for good: to be killed at any moment. */
import { type GitObject, objectId } from "../../src/adapters/git/git-object.ts";
import { HubStore } from "../../src/adapters/git/hub-store.ts";

const [folder, seed] = process.argv.slice(2);
const store = new HubStore(folder!, (what) => {
  throw new Error(what);
});
for (let round = 0; ; round++) {
  // In turn what is written loose and what as a pack.
  const count = round % 2 === 0 ? 3 : 20;
  const objects = new Map<string, GitObject>();
  for (let at = 0; at < count; at++) {
    const blob = { type: "blob", content: Buffer.from(`${seed} ${round} ${at}`) } as const;
    objects.set(objectId(blob), blob);
  }
  await store.add(objects);
  process.stdout.write(`${[...objects.keys()].join("\n")}\n`);
}
