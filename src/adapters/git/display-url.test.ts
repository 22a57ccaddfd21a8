import assert from "node:assert/strict";
import { test } from "node:test";
import { displayUrl } from "./display-url.ts";

test("an address is printed without anything that may be secret", () => {
  const table: readonly [string, string][] = [
    ["https://example.org/a/b.git", "https://example.org/a/b.git"],
    ["https://robot:s3cret@example.org/b.git", "https://example.org/b.git"],
    ["https://s3cret@example.org:8443/b.git", "https://example.org:8443/b.git"],
    ["https://example.org/b.git?private_token=s3cret#s3cret", "https://example.org/b.git"],
    ["git@example.org:team/b.git", "git@example.org:team/b.git"],
    ["ssh://git:s3cret@example.org/b.git", "ssh://git@example.org/b.git"],
    ["https://example.org/a.git,https://robot:s3cret@mirror/a.git", "https://example.org/a.git,https://mirror/a.git"],
    ["git@example.org:a.git, https://robot:s3cret@mirror/a.git", "git@example.org:a.git,https://mirror/a.git"],
    ["/srv/git/a,b.git", "/srv/git/a,b.git"],
    ["user:s3cret@example.org:b.git", "example.org:b.git"],
    ["https://user:s3cret@exa mple.org/b.git", "exa mple.org/b.git"],
    ["/srv/git/b.git", "/srv/git/b.git"],
    ["file:///srv/git/b.git", "file:///srv/git/b.git"],
  ];
  for (const [url, expected] of table) assert.equal(displayUrl(url), expected, url);
});
