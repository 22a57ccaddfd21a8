import type { ClusterSpec, SpecFile } from "../spec/cluster-spec.ts";

/** How many files of the repository that land on machines are new, other or gone. The manifest counts as one where it writes a drop-in. */
export function changedFiles(before: ClusterSpec, after: ClusterSpec): number {
  if (before === after) return 0;
  const [old, next] = [textsByPath(before), textsByPath(after)];
  let changed = 0;
  for (const path of new Set([...old.keys(), ...next.keys()])) if (old.get(path) !== next.get(path)) changed += 1;
  return changed;
}

/** One file may give several texts: the manifest writes a drop-in for each unit with an environment. */
function textsByPath(spec: ClusterSpec): Map<string, string> {
  const texts = new Map<string, Set<string>>();
  const add = ({ path, text }: SpecFile) => {
    const known = texts.get(path);
    if (known === undefined) texts.set(path, new Set([text]));
    else known.add(text);
  };
  for (const unit of spec.units) {
    for (const file of [...(unit.files ?? []), ...(unit.secrets ?? [])]) add(file);
    for (const one of [unit, ...unit.companions]) {
      add(one.fragment);
      one.dropins.forEach(add);
    }
  }
  for (const machine of spec.machines) machine.dropins.forEach(add);
  return new Map([...texts].map(([path, set]) => [path, [...set].sort().join("\0")]));
}
