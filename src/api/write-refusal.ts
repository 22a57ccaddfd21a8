import { ApiProblem } from "./api-problem.ts";
import type { ClusterPicture } from "./cluster-picture.ts";

/**
 * What a client of the original API hears that tries to change something: where the same is said in git. `file` is where the unit stands, null
 * where there is none of that name, or where it is about no unit.
 */
export function writeRefusal(
  request: { readonly method: string; readonly path: string; readonly allow: string },
  picture: Pick<ClusterPicture, "snapshot"> | null,
  file: string | null,
): ApiProblem {
  const identity = picture?.snapshot.identity ?? null;
  const manifest = identity?.manifest ?? "fleet.yaml";
  const repository = identity === null || identity.source === "" ? "the repository" : identity.source;
  const branch = identity === null ? "the branch" : `branch ${identity.branch}`;
  const driver = picture?.snapshot.release?.driver ?? "apply";
  const then =
    driver === "apply"
      ? "then fleet plan and fleet apply"
      : `then ${driver === "approval" ? "fleet approve" : "the engine takes it"}; fleet sync now hurries it`;
  const edit = editOf(request, manifest, file);
  const message = `nothing is changed here: only a commit says what runs. In ${repository} ${edit}, commit, push to ${branch}, ${then}`;
  return new ApiProblem(405, message, { Allow: request.allow });
}

function editOf({ method, path }: { method: string; path: string }, manifest: string, file: string | null): string {
  const [, kind, name] = /^\/fleet\/v1\/(units|machines)(?:\/(.+))?$/.exec(path) ?? [];
  if (kind === "machines") return `edit machines: in ${manifest} (metadata: of each)`;
  if (kind !== "units" || name === undefined) return `edit ${manifest} and the units beside it`;
  if (method === "DELETE") return `remove ${file ?? `the file of ${name}`} (and what ${manifest} says of it)`;
  const state = `its state: (inactive, loaded, launched) in ${manifest}`;
  return file === null
    ? `add ${name} below units/ or what ${manifest} lists under paths:`
    : `edit ${file}, or ${state}`;
}
