import { invariant } from "../../domain/invariant.ts";
import type { FrameWriter } from "./bus-frames.ts";
import { typeEnd } from "./bus-values.ts";

/** A value that says of which type it is: the content of a D-Bus variant. */
export interface Variant {
  readonly signature: string;
  readonly value: unknown;
}

/** The arguments of a call one after the other: of a signature of `s b i t v`, lists and structs. Lists and structs are arrays. */
export function writeArguments(writer: FrameWriter, signature: string, values: readonly unknown[]): void {
  let at = 0;
  for (const value of values) at = writeValue(writer, signature, at, value);
  invariant(at === signature.length, `${values.length} values for the signature ${signature}`);
}

function writeValue(writer: FrameWriter, signature: string, at: number, value: unknown): number {
  const end = typeEnd(signature, at);
  switch (signature[at]) {
    case "s":
      writer.string(value as string);
      break;
    case "b":
      writer.word(value === true ? 1 : 0);
      break;
    case "i":
      writer.word((value as number) >>> 0);
      break;
    case "t":
      writer.long(value as bigint);
      break;
    case "v":
      writer.signature((value as Variant).signature);
      writeValue(writer, (value as Variant).signature, 0, (value as Variant).value);
      break;
    case "(":
      writer.align(8);
      writeArguments(writer, signature.slice(at + 1, end - 1), value as readonly unknown[]);
      break;
    case "a": {
      const isAligned = signature[at + 1] === "(" || signature[at + 1] === "t";
      writer.list(isAligned ? 8 : 4, () => {
        for (const one of value as readonly unknown[]) writeValue(writer, signature, at + 1, one);
      });
      break;
    }
    default:
      invariant(false, `no argument of type ${signature[at]} is ever sent`);
  }
  return end;
}
