/**
 * A command line at its first `--`: what is fleet's own, and the words behind it, as they were typed. oclif's own list of words moves one that
 * stands there twice to where the first stands, so that another program than the one that was typed would run.
 */
export function wordsBehindDashes(argv: readonly string[]): {
  readonly own: string[];
  readonly behind: readonly string[];
} {
  const at = argv.indexOf("--");
  return at === -1 ? { own: [...argv], behind: [] } : { own: argv.slice(0, at), behind: argv.slice(at + 1) };
}
