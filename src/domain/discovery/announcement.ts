/** A port by which a unit wants to be found. */
export interface Announcement {
  /** What is spoken there, as in `_http._tcp`: RFC 6335, section 5.1. */
  readonly name: string;
  readonly port: number;
  readonly transport: "tcp" | "udp";
}

export const ANNOUNCE_FORM = "a name and a port, such as http:8080 or dns:53/udp; several are separated by blanks";

/** As many as one process plausibly listens on; each is a record in the registry. */
export const ANNOUNCEMENTS_MAX = 8;

/** RFC 6335. */
const NAME_MAX = 15;

/** Null where it is none. */
export function parseAnnouncement(text: string): Announcement | null {
  const [, name, digits, transport = "tcp"] =
    /^([a-z0-9](?:-?[a-z0-9]){0,14}):([1-9][0-9]{0,4})(?:\/(tcp|udp))?$/.exec(text) ?? [];
  if (name === undefined || digits === undefined || name.length > NAME_MAX || !/[a-z]/.test(name)) return null;
  const port = Number(digits);
  return port > 65_535 ? null : { name, port, transport: transport === "udp" ? "udp" : "tcp" };
}
