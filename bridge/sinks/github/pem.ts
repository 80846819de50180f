const BEGIN = /^-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/**
 * A private key in PEM, given as it is or in base64, as deployment-tracker took it; undefined for any other text. Its line
 * breaks may be written as `\n`, as people put them into a variable.
 */
export function pemOf(text: string): string | undefined {
  const given = text.trim().replaceAll('\\n', '\n');
  return [given, atobOrEmpty(given).trim()].find((one) => BEGIN.test(one));
}

function atobOrEmpty(text: string): string {
  try {
    return atob(text);
  } catch {
    return '';
  }
}
