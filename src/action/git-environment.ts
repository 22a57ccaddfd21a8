import type { ActionInputs } from "./action-inputs.ts";
import type { GitHubEvent } from "./github-event.ts";
import type { Runner } from "./runner.ts";

/**
 * As git takes settings that are in no file and on no command line, where others of the machine could read them. The forge's own token goes
 * to the forge, and nowhere else.
 */
export function gitEnvironment(
  { runner, inputs, event }: { runner: Runner; inputs: Pick<ActionInputs, "token">; event: GitHubEvent },
  remote: string,
  own: readonly (readonly [key: string, value: string])[] = [],
): Record<string, string | undefined> {
  const settings = [...own];
  if (inputs.token !== "" && URL.canParse(remote) && new URL(remote).origin === new URL(event.serverUrl).origin) {
    const basic = Buffer.from(`x-access-token:${inputs.token}`).toString("base64");
    runner.mask(basic);
    settings.push([`http.${new URL(remote).origin}/.extraheader`, `AUTHORIZATION: basic ${basic}`]);
  }
  const numbered = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    PATH: runner.variable("PATH"),
    HOME: runner.variable("HOME"),
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_COUNT: `${settings.length}`,
    ...Object.fromEntries(numbered),
  };
}
