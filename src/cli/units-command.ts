import { type EditVerb, editUnits } from "../domain/edit/edit-units.ts";
import type { UnitName } from "../domain/names.ts";
import { EditingCommand } from "./editing-command.ts";
import { type OfferedUnits, offeredUnits, unitsNamed } from "./offered-files.ts";

/** Units named in a commit's subject before they are counted. */
const NAMED_MAX = 3;

type Flags = Parameters<EditingCommand["change"]>[0] & { readonly directory: string; readonly replace?: boolean };

/** One verb about units of whatever name. */
export abstract class UnitsCommand extends EditingCommand {
  /** The words are names, or files to bring in. */
  protected async bring(verb: EditVerb, flags: Flags, words: readonly unknown[]): Promise<void> {
    await this.#do(verb, flags, await offeredUnits(words.map(String), flags.directory));
  }

  protected async tell(verb: EditVerb, flags: Flags, words: readonly unknown[]): Promise<void> {
    await this.#do(verb, flags, { units: unitsNamed(words.map(String)), offered: new Map() });
  }

  async #do(verb: EditVerb, flags: Flags, { units, offered }: OfferedUnits): Promise<void> {
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const word = { verb, units, offered, replace: flags.replace ?? false, now };
    await this.change(flags, subjectOf(verb, units), (repository) => editUnits(repository, word));
  }
}

function subjectOf(verb: EditVerb, units: readonly UnitName[]): string {
  const names = [...new Set(units)];
  const what =
    names.length > NAMED_MAX
      ? `${names.length} units`
      : new Intl.ListFormat("en", { type: "conjunction" }).format(names);
  return `${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${what}`;
}
