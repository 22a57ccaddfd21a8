import { maskSecrets } from "../../domain/lint/mask-secrets.ts";
import type { AppliedBy, BlamedDirective, BlamedUnit, DirectiveOrigin } from "../../usecases/blame-unit.ts";
import { printableLine } from "./printable.ts";
import { signerText } from "./signer-text.ts";
import { table } from "./table.ts";

/** Of a directive and a subject: more of either is in the JSON. */
const DIRECTIVE_LENGTH = 60;
const SUBJECT_LENGTH = 40;

/** Of each unit its directives in force, and behind each who wrote it and when it was applied. */
export function blameText(units: readonly BlamedUnit[]): string {
  return units.map(unitText).join("\n\n");
}

/** The same content for programs. Secrets are masked there too. */
export function blameJson(units: readonly BlamedUnit[]): unknown {
  return units.map(({ unit, machine, directives }) => {
    const texts = maskedTexts(directives);
    return {
      unit: unit.name,
      machine,
      directives: directives.map((directive, index) => ({ ...directive, text: texts[index] })),
    };
  });
}

function unitText({ unit, machine, directives }: BlamedUnit): string {
  const texts = maskedTexts(directives);
  const isSigned = directives.some(({ origin }) => origin.kind === "commit" && origin.facts.signer !== null);
  const rows = directives.map(({ section, at, origin }, index) => [
    at === null ? "-" : `${at.path}:${at.line}`,
    `[${section}] ${shortened(texts[index]!, DIRECTIVE_LENGTH)}`,
    ...originCells(origin, isSigned),
  ]);
  const header = [
    "line",
    "directive",
    "commit",
    "author",
    "date",
    ...(isSigned ? ["signer"] : []),
    "applied",
    "subject",
  ];
  const name = `${unit.name}${machine === null ? "" : ` on ${machine}`}`;
  return `${printableLine(name)}\n${table(header, rows)}`;
}

function originCells(origin: DirectiveOrigin, isSigned: boolean): readonly string[] {
  if (origin.kind === "fleet") return ["-", "fleet", "-", ...(isSigned ? ["-"] : []), "-", "written by fleet"];
  if (origin.kind === "older") {
    const subject = `before ${origin.than.slice(0, 8)}: no older history here`;
    return ["-", "-", "-", ...(isSigned ? ["-"] : []), "-", subject];
  }
  const { commit, author, authoredMs, signer, subject } = origin.facts;
  return [
    commit.slice(0, 8),
    author,
    new Date(authoredMs).toISOString().slice(0, 10),
    ...(isSigned ? [signerText(signer)] : []),
    appliedText(origin.applied),
    shortened(subject, SUBJECT_LENGTH),
  ];
}

function appliedText(applied: AppliedBy): string {
  switch (applied.kind) {
    case "release":
      return `@${applied.release.seq} ${applied.release.at.slice(0, 10)} ${applied.release.by}`;
    case "not-yet":
      return "not yet";
    case "unknown":
      return "?";
  }
}

/** Masked as one text, because a secret may be known by what stands around it. */
function maskedTexts(directives: readonly BlamedDirective[]): readonly string[] {
  const lines: string[] = [];
  const places: number[] = [];
  let last = "";
  for (const { section, text } of directives) {
    if (section !== last) lines.push(`[${section}]`);
    last = section;
    places.push(lines.push(text) - 1);
  }
  const masked = maskSecrets(lines.join("\n")).split("\n");
  return places.map((place) => masked[place]!);
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
