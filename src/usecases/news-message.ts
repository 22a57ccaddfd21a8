import type { Thing } from "../domain/notify/thing.ts";
import type { Message } from "../ports/notifier.ts";

/** Longer details are cut: it is a line in somebody's chat. */
const DETAIL_LENGTH_MAX = 300;

/** What is sent of a thing: `text` for chats, the rest for programs. */
export function newsMessage(cluster: string, thing: Thing): Message {
  const { event, ...rest } = thing;
  const text = `${cluster}: ${textOf(thing)}`;
  const { seq, detail, ...told } = rest as { seq?: number | null; detail?: string };
  return message(event, {
    ...{ version: 1, cluster, event, text },
    ...(seq === undefined || seq === null ? {} : { release: seq }),
    ...told,
    ...(detail === undefined ? {} : { detail: shortened(detail) }),
  });
}

/** What was too much to be told one by one. */
export function moreMessage(cluster: string, count: number): Message {
  const text = `${cluster}: ${count} more, too many to be told one by one; fleet status has them`;
  return message("more", { version: 1, cluster, event: "more", text, count });
}

function message(event: string, content: Readonly<Record<string, unknown>>): Message {
  return { event, body: JSON.stringify(content) };
}

function textOf(thing: Thing): string {
  switch (thing.event) {
    case "failed":
      return `${thing.unit} failed on ${thing.machine} (${shortened(thing.detail)})`;
    case "held":
      return thing.seq === null
        ? `commit ${thing.commit.slice(0, 12)} is not released: ${thing.code}`
        : `release ${thing.seq} is held: ${thing.units.join(", ")} failed`;
    case "rolled-back":
      return `release ${thing.seq} goes back to the one before: ${thing.units.join(", ")} failed`;
    case "stale":
      return thing.because === "engine"
        ? `the engine places nothing: ${shortened(thing.detail)}`
        : `the branch cannot be read: ${shortened(thing.detail)}`;
  }
}

function shortened(text: string): string {
  const line = text.replace(/[\x00-\x1f\x7f]+/g, " ");
  return line.length <= DETAIL_LENGTH_MAX ? line : `${line.slice(0, DETAIL_LENGTH_MAX - 1)}…`;
}
