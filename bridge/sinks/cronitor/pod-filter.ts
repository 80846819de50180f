import { RE2JS } from 're2js';

/**
 * A search in pod names as cronitor-kubernetes has it (RE2, anywhere in the name). It takes time in proportion to the
 * name, whatever the expression: it runs inside the commit. Throws an Error that says what is wrong when the text is not
 * a regular expression of RE2.
 */
export function podFilter(source: string): (podName: string) => boolean {
  const expression = RE2JS.compile(source);
  return (podName) => expression.test(podName);
}
