import type { Diagnostic } from "../diagnostic.ts";
import { ANNOUNCE_FORM, ANNOUNCEMENTS_MAX, type Announcement, parseAnnouncement } from "../discovery/announcement.ts";
import type { EffectiveValue } from "./effective-unit.ts";

/** The ports of `Announce=`, in the order written. */
export function readAnnouncements(written: readonly EffectiveValue[]): {
  readonly announce: readonly Announcement[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const announce: Announcement[] = [];
  const diagnostics: Diagnostic[] = [];
  const words = written.flatMap(({ value, at }) => value.split(/[ \t]+/).map((word) => ({ value: word, at })));
  for (const { value, at } of words) {
    const problem = (saw: string, expected: string) =>
      diagnostics.push({ code: "x-fleet-value", severity: "error", at, saw, expected });
    const read = parseAnnouncement(value);
    if (read === null) problem(`Announce=${value}`, ANNOUNCE_FORM);
    else if (announce.some(({ name }) => name === read.name)) problem(`the port ${read.name} twice`, "one port a name");
    else if (announce.length >= ANNOUNCEMENTS_MAX) problem("one more announced port", `at most ${ANNOUNCEMENTS_MAX}`);
    else announce.push(read);
  }
  return { announce, diagnostics };
}
