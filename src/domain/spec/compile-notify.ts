import type { Diagnostic } from "../diagnostic.ts";
import { isForbiddenAddress } from "../notify/forbidden-address.ts";
import { NOTIFY_EVENTS, type NotifyRule, type NotifyTarget } from "../notify/notify-policy.ts";
import type { ManifestNotify } from "./manifest.ts";

/** Longer ones are somebody's mistake; the longest of known services has 300 characters. */
const TARGET_LENGTH_MAX = 2_000;

/** The manifest's `notify:`. Findings never quote an address: most of them are secrets. */
export function compileNotify(rules: readonly ManifestNotify[]): {
  readonly notify: readonly NotifyRule[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const diagnostics: Diagnostic[] = [];
  const notify = rules.flatMap(({ on, webhook, command, at }): readonly NotifyRule[] => {
    const error = (saw: string, expected: string) => {
      diagnostics.push({ code: "notify-target", severity: "error", at, saw, expected });
      return [];
    };
    if ((webhook === null) === (command === null)) {
      const saw =
        webhook === null ? "a rule that names neither webhook nor command" : "a rule with webhook and command";
      return error(saw, "one of them; write a second rule for the other");
    }
    const problem = webhook === null ? commandProblem(command!) : webhookProblem(webhook);
    if (problem !== null) return error(problem.saw, problem.expected);
    const to: NotifyTarget = webhook === null ? { kind: "command", path: command! } : { kind: "webhook", url: webhook };
    return [{ on: NOTIFY_EVENTS.filter((event) => on.includes(event)), to }];
  });
  return { notify, diagnostics };
}

type Problem = { readonly saw: string; readonly expected: string } | null;

function webhookProblem(url: string): Problem {
  const parts = /^(https?):\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?([/?][\x21-\x7e]*)?$/.exec(url);
  if (/^https?:\/\/[^/?#]*@/.test(url))
    return { saw: "a webhook with a user or a password in its address", expected: "an address without" };
  if (parts === null || url.length > TARGET_LENGTH_MAX || url.includes("#"))
    return {
      saw: "a webhook that is no address of http or https",
      expected: 'such as "https://chat.example.org/hook"',
    };
  const host = parts[2]!.replace(/^\[|\]$/g, "");
  const isAddress = host.includes(":") || /^[\d.]+$/.test(host);
  if (host === "localhost" || (isAddress && isForbiddenAddress(host)))
    return { saw: "a webhook on the engine's own machine", expected: "another machine's address; or use command:" };
  return null;
}

function commandProblem(path: string): Problem {
  const isPath = /^\/[^\0-\x1f]*[^\0-\x1f/]$/.test(path) && !path.split("/").includes("..");
  if (isPath && path.length <= TARGET_LENGTH_MAX) return null;
  return {
    saw: "a command that is no absolute path",
    expected: "a program on the engines' machines, without arguments",
  };
}
