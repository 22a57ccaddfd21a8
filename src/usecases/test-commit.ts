import { readTestFile, TEST_FILE_BYTES_MAX } from "../codec/test-file/read-test-file.ts";
import { type Diagnostic, hasErrors } from "../domain/diagnostic.ts";
import type { CommitId, Sha256 } from "../domain/names.ts";
import { isTestFile, testFolder } from "../domain/spec/repository-files.ts";
import { type Judged, judgeTest } from "../domain/testing/judge-test.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { CommitCompiler } from "./commit-compiler.ts";

export type TestedCommit =
  /** The commit itself is no spec: nothing was tested. */
  | { readonly kind: "rejected"; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: "tested"; readonly files: readonly TestedFile[] };

export interface TestedFile {
  readonly path: string;
  /** What is wrong with the file itself: then nothing of it was judged. */
  readonly diagnostics: readonly Diagnostic[];
  readonly judged: readonly Judged[];
}

/** More are most likely not tests. */
const FILES_MAX = 1_000;

/** Judges every `tests/*.yaml` beside the manifest of that commit; needs no cluster. A commit without any is an error: a check that checks nothing must not pass. */
export async function testCommit(input: {
  readonly commit: CommitId;
  readonly source: Pick<GitSource, "listFiles" | "readBlob">;
  readonly manifestPath: string;
  readonly compile: CommitCompiler;
  readonly sha256: Sha256;
}): Promise<TestedCommit> {
  const { commit, source, manifestPath, sha256 } = input;
  const { spec, diagnostics } = await input.compile(commit);
  if (spec === null || hasErrors(diagnostics)) return { kind: "rejected", diagnostics };
  const folder = testFolder(manifestPath);
  const listed = (await source.listFiles(commit, [folder])).filter(
    ({ path, kind }) => kind === "file" && isTestFile(manifestPath, path),
  );
  if (listed.length === 0) {
    throw new OperationError("no-tests", `there is no ${folder}/*.yaml in this commit`, {
      next: "write one: docs/testing.md shows how",
    });
  }
  if (listed.length > FILES_MAX) {
    throw new OperationError(
      "too-many-tests",
      `${folder} has ${listed.length} files, and at most ${FILES_MAX} are read`,
    );
  }
  const files: TestedFile[] = [];
  for (const { path, oid } of listed) {
    const { file, diagnostics: problems } = readTestFile(path, await source.readBlob(oid, TEST_FILE_BYTES_MAX));
    files.push({ path, diagnostics: problems, judged: file === null ? [] : judgeTest(spec, file, sha256) });
  }
  return { kind: "tested", files };
}
