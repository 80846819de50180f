/**
 * The shape of a message: what is different each time although the same thing went wrong is taken out, so that it groups.
 * Every pattern is linear in the length of the text.
 */
const RULES: readonly (readonly [RegExp, string])[] = [
  // What a probe got says what is wrong today; that it fails is one problem.
  [/^(Readiness|Liveness|Startup) probe (failed|errored)\b.*/g, '$1 probe $2'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<uid>'],
  [/\b(?:sha256|sha512|containerd|docker|cri-o)(?::\/\/|:)[0-9a-f]{12,128}\b/gi, '<digest>'],
  [/\b[0-9a-f]{32,128}\b/gi, '<digest>'],
  [/\[[0-9a-f:.]{2,45}(?:%\w{1,15})?\](?::\d{1,5}\b)?/gi, '<ip>'],
  // IPv6 without brackets: not a time, nor a port between colons.
  [
    /(?<![\w:.])(?=[0-9a-f:]{0,40}::|(?:[0-9a-f]{1,4}:){7})(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:\.\d{1,3}){0,3}(?![\w:])/gi,
    '<ip>',
  ],
  [/\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:\/\d{1,2})?(?::\d{1,5}\b)?/g, '<ip>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?/g, '<time>'],
  // What controllers add to the names of pods and ReplicaSets: web-7d9f8b6c5-x2x4z.
  [/-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9])/g, '-<pod>'],
  [/-\d{8}-[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9])/g, '-<pod>'],
  [/-[bcdfghjklmnpqrstvwxz2456789]{9,10}(?![a-z0-9])/g, '-<hash>'],
  // generateName: kube-api-access-x7k2p, and pods of a DaemonSet.
  [/-[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9])/g, '-<hash>'],
  // Durations, sizes, counts and percentages; a number that is part of a name stays: http2, ingress-v1.
  [/(?<![\w-])-?\d+(?:\.\d+)?(?:(?:ns|us|µs|ms|s|m|h|d)(?:\d+(?:\.\d+)?(?:ms|s|m|h))*|[KMGTPE]i?B?|B|%)?(?!\w)/g, '#'],
  [/\b0x[0-9a-f]{1,16}\b/gi, '#'],
];
/** What comes after this does not distinguish problems. */
const MAX_SHAPE = 300;

/** `names`: how the objects are called that the message is about; they become `<name>`. */
export function messageShape(message: string, names: readonly string[]): string {
  let text = message.replaceAll(/\s+/g, ' ').trim();
  for (const name of names.toSorted((a, b) => b.length - a.length)) {
    if (name.length > 2) text = text.replaceAll(name, '<name>');
  }
  for (const [pattern, by] of RULES) text = text.replaceAll(pattern, by);
  return text.slice(0, MAX_SHAPE);
}
