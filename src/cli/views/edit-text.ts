import type { EditNote, EditProblem } from "../../domain/edit/edit-units.ts";
import { INSTANCES_MAX } from "../../domain/spec/manifest.ts";
import { printable } from "./printable.ts";

/** Why nothing was done about a unit that was named. */
export function editNoteText(note: EditNote): string {
  switch (note.code) {
    case "already":
      return `${note.unit} is ${note.goal} in the repository already`;
    case "same-file":
      return `${note.unit}: the repository has the very file`;
    case "kept-own-file":
      return `${note.unit}: the repository has another file, which stays; --replace takes yours`;
  }
}

/** Why a word is refused, and what to say instead. */
export function editProblemText(problem: EditProblem): string {
  const [saw, next] = problemParts(problem);
  return `error: ${printable(saw)} [${problem.code}]${next === null ? "" : `\n  next: ${printable(next)}`}`;
}

function problemParts(problem: EditProblem): readonly [saw: string, next: string | null] {
  const { unit } = problem;
  switch (problem.code) {
    case "unit-unknown": {
      const next =
        problem.closest === null ? "name its file: fleet start ./web.service" : `did you mean ${problem.closest}?`;
      return [`there is no unit ${unit} in the repository, and no such file here`, next];
    }
    case "unit-inactive":
      return [`${unit} is inactive: there is nothing to stop or restart`, `fleet start ${unit}`];
    case "no-instances":
      return [`${unit} is a template without instances`, `name one: fleet start ${unit.replace("@.", "@1.")}`];
    case "not-a-template":
      return [
        `${unit} is no template: it runs once, or on every machine`,
        "only templates such as web@.service have instances",
      ];
    case "named-instances":
      return [`the instances of ${unit} have names, and no number`, "fleet start and fleet destroy say which"];
    case "too-many-instances":
      return [`${unit} would have too many instances`, `a template has at most ${INSTANCES_MAX}`];
  }
}
