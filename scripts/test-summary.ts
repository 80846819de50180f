/** How a project of vitest.config.ts ended. */
export interface Report {
  readonly project: string;
  readonly isFailed: boolean;
  /** What vitest's JSON reporter wrote; nothing if it died before. */
  readonly result: Result | undefined;
}

export interface Result {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** A line for each test that failed at last ("failed: ") or only at first ("flaky: "), and the counts; `failed` if there is one of the former. */
export function summaryOf(reports: readonly Report[]): { readonly lines: readonly string[]; readonly failed: boolean } {
  const lines = reports.flatMap(linesOf);
  const passed = reports.reduce((sum, { result }) => sum + (result?.numPassedTests ?? 0), 0);
  const failed = lines.filter((line) => line.startsWith('failed: ')).length;
  return { lines: [...lines, `${passed} passed, ${failed} failed`], failed: failed > 0 };
}

function linesOf({ project, isFailed, result }: Report): readonly string[] {
  const lines = (result?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
    const broken = assertionResults.filter((test) => test.status === 'failed');
    const flaky = assertionResults.filter((test) => test.status === 'passed' && test.failureMessages.length > 0);
    return [
      ...(status === 'failed' && broken.length === 0 ? [`failed: ${name}: ${firstLine(message)}`] : []),
      ...flaky.map((test) => `flaky: ${name}: ${test.fullName}: failed once: ${firstLine(test.failureMessages[0])}`),
      ...broken.map((test) => `failed: ${name}: ${test.fullName}: ${firstLine(test.failureMessages[0])}`),
    ];
  });
  if (!isFailed || lines.some((line) => line.startsWith('failed: '))) return lines;
  return [...lines, `failed: ${project}: no test failed, but vitest did: see the end of its output above`];
}

function firstLine(text = ''): string {
  return text.split('\n')[0]!;
}
