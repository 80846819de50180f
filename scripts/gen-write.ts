import { readFileSync, writeFileSync } from 'node:fs';

/** True if the process was asked to compare the generated files with the committed ones instead of writing them. */
export const checking = process.argv.includes('--check');

/** Writes a generated file, or with --check compares it: a difference is named and makes the process end with code 1. */
export function emit(path: string, text: string): void {
  if (!checking) {
    writeFileSync(path, text);
    return;
  }
  if (readOrEmpty(path) === text) return;
  console.error(`${path} is not what its generator makes: run "npm run gen" and commit the result`);
  process.exitCode = 1;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
