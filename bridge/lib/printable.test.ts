import { expect, it } from 'vitest';
import { printable } from './printable.ts';

it.each([
  ['\u001B]0;title\u0007\u001B[2J', '\\u001b]0;title\\u0007\\u001b[2J'],
  ['a\rb\u0000c\u007Fd', 'a\\u000db\\u0000c\\u007fd'],
  ['\u009B31m \u202Etxt.exe \u2066x', '\\u009b31m \\u202etxt.exe \\u2066x'],
  ['two\n\tlines äöü 漢字 👩‍👧 ✓', 'two\n\tlines äöü 漢字 👩‍👧 ✓'],
])('%j is printed as %j', (text, printed) => expect(printable(text)).toBe(printed));
