/** A code as docs/diagnostics.md explains it. */
export interface ExplainedCode {
  readonly code: string;
  /** What the codes beside it are about. */
  readonly section: string;
  /** The other columns of its table, each with its title. */
  readonly columns: readonly (readonly [title: string, text: string])[];
}

/** Every row of the page's tables of codes, in its order. One code may stand in several: they are told apart by what they are about. */
export function explainedCodes(page: string): readonly ExplainedCode[] {
  const explained: ExplainedCode[] = [];
  let section = "";
  let titles: readonly string[] = [];
  for (const line of page.split("\n")) {
    const heading = /^#+ (.+)$/.exec(line);
    if (heading !== null) {
      section = plain(heading[1]!);
      titles = [];
      continue;
    }
    const cells = cellsOf(line);
    if (cells === null) titles = [];
    else if (titles.length === 0) titles = cells[0] === "Code" ? cells : [];
    else {
      const texts = titles.slice(1).map((title, index) => [title, plain(cells[index + 1] ?? "")] as const);
      const columns = texts.filter(([, text]) => text !== "");
      for (const code of codesIn(cells[0] ?? "")) explained.push({ code, section, columns });
    }
  }
  return explained;
}

/** All there is on one code, each meaning below the next. */
export function explainedText(found: readonly ExplainedCode[]): string {
  return found
    .map(({ code, section, columns }) => {
      const width = Math.max(...columns.map(([title]) => title.length)) + 1;
      return [`${code}: ${section}`, ...columns.map(([title, text]) => `  ${`${title}:`.padEnd(width)} ${text}`)].join(
        "\n",
      );
    })
    .join("\n\n");
}

/** One, or several that mean alike. */
function codesIn(cell: string): string[] {
  return /^`[a-z0-9-]+`(, `[a-z0-9-]+`)*$/.test(cell) ? cell.split(", ").map((code) => code.slice(1, -1)) : [];
}

/** Null: the line is of no table. A bar that is meant stands behind a backslash. */
function cellsOf(line: string): string[] | null {
  if (!/^\|.*\|$/.test(line)) return null;
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replaceAll("\\|", "|").trim());
}

/** Without Markdown's marks; what a link leads to stays, as a page to look at. */
function plain(text: string): string {
  return text
    .replaceAll(/\[([^\]]*)\]\(([^)]*)\)/g, (_, label: string, target: string) =>
      label === target ? `docs/${label}` : `${label} (docs/${target})`,
    )
    .replaceAll(/`/g, "");
}
